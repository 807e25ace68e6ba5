"""Sampling by rules of one's own, which Lambda does not ask."""

from lambda_latency.bridge.sampling import Sampler as LocalSampler

__all__ = ["LocalSampler"]
