"""Prepares functions: packages, code, tracing."""
