"""Imports itself by way of another module."""

from starts import circular_other


def handler(event, context):
    return circular_other.answer()
