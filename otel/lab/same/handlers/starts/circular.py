"""Imports itself by way of another module, by a relative name."""

from . import circular_other


def handler(event, context):
    return circular_other.answer()
