"""EC2, where a function never is."""

from typing import Any

__all__ = ["ORIGIN", "SERVICE_NAME", "initialize", "runtime_context"]

SERVICE_NAME = "ec2"
ORIGIN = "AWS::EC2::Instance"
runtime_context: dict[str, Any] = {}


def initialize() -> None:
    """Nothing: the resource's attributes tell of Lambda."""
