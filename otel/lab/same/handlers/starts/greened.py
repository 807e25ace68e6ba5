"""gevent from the first line on."""

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402
import threading  # noqa: E402

import gevent  # noqa: E402
import gevent.pool  # noqa: E402
import requests  # noqa: E402

PEER = os.environ["PEER"]


def ask(what):
    return requests.get(f"{PEER}/http/{what}", timeout=10).json()["path"]


def nothing(event, context):
    return "ok"


def spawned(event, context):
    jobs = [gevent.spawn(ask, str(number)) for number in range(3)]
    gevent.joinall(jobs, timeout=10)
    return [job.value for job in jobs]


def pooled(event, context):
    return sorted(gevent.pool.Pool(2).imap_unordered(ask, ["a", "b"]))


def threaded(event, context):
    got = []
    thread = threading.Thread(target=lambda: got.append(ask("thread")))
    thread.start()
    thread.join()
    return got


def timed_out(event, context):
    try:
        with gevent.Timeout(0.1):
            gevent.sleep(5)
    except gevent.Timeout:
        return "too long"
