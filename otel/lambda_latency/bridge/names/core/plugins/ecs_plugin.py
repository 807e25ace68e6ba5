"""The ECS plugin, without effect in Lambda."""

from typing import Any

__all__ = ["ORIGIN", "SERVICE_NAME", "initialize", "runtime_context"]

SERVICE_NAME = "ecs"
ORIGIN = "AWS::ECS::Container"
runtime_context: dict[str, Any] = {}


def initialize() -> None:
    """Does nothing: resource attributes describe Lambda."""
