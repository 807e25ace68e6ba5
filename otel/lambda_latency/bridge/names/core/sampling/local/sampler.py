"""Sampling by local rules, without effect in Lambda."""

from lambda_latency.bridge.sampling import Sampler as LocalSampler

__all__ = ["LocalSampler"]
