"""gevent after other imports."""

import warnings

warnings.simplefilter("ignore")

import os  # noqa: E402
import threading  # noqa: E402, F401

from gevent import monkey  # noqa: E402

monkey.patch_all(ssl=False)


def handler(event, context):
    import urllib.request

    return urllib.request.urlopen(f"{os.environ['PEER']}/http/late", timeout=10).status
