"""Subsegments."""

from lambda_latency.bridge.capture import SubsegmentContextManager
from lambda_latency.bridge.entity import Subsegment

__all__ = ["Subsegment", "SubsegmentContextManager"]
