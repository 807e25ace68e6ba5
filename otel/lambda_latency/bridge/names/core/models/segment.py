"""Segments."""

from lambda_latency.bridge.discarded import SegmentContextManager
from lambda_latency.bridge.entity import Segment

__all__ = ["Segment", "SegmentContextManager"]
