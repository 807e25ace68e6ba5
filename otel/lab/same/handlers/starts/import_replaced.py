"""Counts imports by its own `builtins.__import__`."""

import builtins

REAL, SEEN = builtins.__import__, []


def noting(name, *args, **kwargs):
    SEEN.append(name)
    return REAL(name, *args, **kwargs)


builtins.__import__ = noting

import requests  # noqa: E402, F401

builtins.__import__ = REAL


def handler(event, context):
    return "requests" in SEEN
