"""The sender of segments, which the kit replaces."""

from lambda_latency.bridge.sampling import Emitter as UDPEmitter

__all__ = ["UDPEmitter"]
