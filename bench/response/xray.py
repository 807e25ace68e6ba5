"""The same handler under the X-Ray SDK, as its documentation says: patch everything, then import the rest."""

# ruff: noqa: E402
from aws_xray_sdk.core import patch_all

patch_all()

from bench.response.handler import handler

__all__ = ["handler"]
