"""Segments."""

from lambda_latency.bridge.capture import SegmentContextManager
from lambda_latency.bridge.entity import Segment

__all__ = ["Segment", "SegmentContextManager"]
