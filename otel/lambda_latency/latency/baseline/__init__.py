"""The comparison with a baseline: what became slower, on which routes, since when, and because of which service."""
