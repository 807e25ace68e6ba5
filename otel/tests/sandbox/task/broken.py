"""Does not import."""

raise RuntimeError("broken on purpose")
