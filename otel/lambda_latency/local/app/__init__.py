"""Somebody's own SAM app on a laptop: its template, its packages, its resources in an emulator of AWS."""
