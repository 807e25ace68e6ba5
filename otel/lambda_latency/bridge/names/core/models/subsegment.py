"""Subsegments."""

from lambda_latency.bridge.context import SubsegmentContextManager
from lambda_latency.bridge.entity import Subsegment

__all__ = ["Subsegment", "SubsegmentContextManager"]
