"""Lambda's segment: the handler's span."""

from lambda_latency.bridge.entity import Segment as FacadeSegment

__all__ = ["FacadeSegment"]
