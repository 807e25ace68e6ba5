"""Attribute correlation: the attribute values that set slow requests apart, and since when requests are slow."""
