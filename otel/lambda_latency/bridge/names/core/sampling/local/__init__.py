"""Sampling by local rules."""
