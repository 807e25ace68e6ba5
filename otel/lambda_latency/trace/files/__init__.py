"""Trace files: where they are, how they are packed, and rows that wait on disk."""
