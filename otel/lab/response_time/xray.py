"""The handler with the X-Ray SDK, set up as in its documentation: patch all libraries, then import the rest."""

# ruff: noqa: E402
from aws_xray_sdk.core import patch_all

patch_all()

from lab.response_time.handler import handler

__all__ = ["handler"]
