"""Entities that are not recorded."""

from lambda_latency.bridge.entity import DummySegment, DummySubsegment

__all__ = ["DummySegment", "DummySubsegment"]
