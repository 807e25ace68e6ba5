"""Has entries in sys.modules that are no modules."""

import os
import sys


class Odd:
    __spec__ = __file__ = None
    __path__ = []

    def __getattr__(self, name):
        print("asked for", name)
        raise AttributeError(name)


sys.modules |= {"odd": Odd(), "nothing": None, "an_object": object()}

import requests  # noqa: E402


def handler(event, context):
    return requests.get(f"{os.environ['PEER']}/http/x", timeout=10).status_code
