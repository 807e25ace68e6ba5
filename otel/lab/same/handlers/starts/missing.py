"""Imports what is not there."""

import not_there  # noqa: F401


def handler(event, context):
    pass
