"""Runs the documentation: the blocks of a page in order, as a reader would, and compares what they print."""
