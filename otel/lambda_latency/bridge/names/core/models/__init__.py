"""Segments, subsegments and headers."""
