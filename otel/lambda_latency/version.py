"""The version of what is installed: reading it from the package's metadata would take milliseconds."""

__all__ = ["VERSION"]

VERSION = "0.1.0"
