"""The version of what is installed: asked of the package's metadata it would take milliseconds."""

__all__ = ["VERSION"]

VERSION = "0.1.0"
