"""The default sampler, without effect: Lambda samples."""

from lambda_latency.bridge.sampling import Sampler as DefaultSampler

__all__ = ["DefaultSampler"]
