"""Any SAM app on a laptop: its template, its packages, and its resources in an emulator of AWS."""
