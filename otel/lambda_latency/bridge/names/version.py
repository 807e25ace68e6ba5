"""The version of the API."""

__all__ = ["VERSION"]

VERSION = "2.15.0"
