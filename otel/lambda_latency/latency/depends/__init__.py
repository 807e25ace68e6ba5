"""It depends on: the attribute values that set slow requests apart, and the time from which requests are slow."""
