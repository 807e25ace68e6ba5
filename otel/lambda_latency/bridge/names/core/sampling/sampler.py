"""Sampling, which Lambda does."""

from lambda_latency.bridge.sampling import Sampler as DefaultSampler

__all__ = ["DefaultSampler"]
