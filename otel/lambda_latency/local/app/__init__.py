"""Runs any SAM app on a laptop: reads its template, installs its packages, creates its resources in an emulator."""
