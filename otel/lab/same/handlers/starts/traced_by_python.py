"""Follows its own execution by sys.settrace and sys.setprofile."""

import sys

CALLS = []


def inner():
    return 1


def follow(frame, what, argument):
    if frame.f_code is inner.__code__:
        CALLS.append(what)
    return follow


def handler(event, context):
    sys.settrace(follow)
    inner()
    sys.settrace(None)
    sys.setprofile(lambda frame, what, argument: follow(frame, what, argument) and None)
    inner()
    sys.setprofile(None)
    return CALLS
