"""No thread of the runtime can start: the system has no room for it."""

import _thread
import os

import requests


def refuse(*args, **kwargs):
    raise RuntimeError("can't start new thread")


_thread.start_new_thread = refuse


def handler(event, context):
    return requests.get(f"{os.environ['PEER']}/http/x", timeout=10).status_code
