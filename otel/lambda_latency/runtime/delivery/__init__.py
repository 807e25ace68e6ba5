"""Delivery: ended spans become OTLP, and leave after the response and before the freeze."""
