"""The spans of the laptop: those of the platform, the receivers, the collector before them, and the store."""
