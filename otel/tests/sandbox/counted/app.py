"""Handlers whose bytecodes the tests count; the numbers of their lines are in the tests."""

import json
import os
import random
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

POOL = ThreadPoolExecutor(1)


def loop(event, context):
    total = 0
    for number in range(event["times"]):
        total += number
    return total


def calls_library(event, context):
    return textwrap.fill(event["text"])


def waits(event, context):
    lock = threading.Condition()
    with lock:
        lock.wait(event["seconds"])


def threads(event, context):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def work():
    return sum(number for number in range(200))


def lasting(event, context):
    return POOL.submit(work).result()


def draws(event, context):
    return [random.random(), os.urandom(4).hex(), hash("text")]  # noqa: S311 - what is tested


def generator():
    for number in range(20):
        yield number + 1


def generates(event, context):
    return [number + 1 for number in generator()]


class Cycle:
    def __init__(self):
        self.me = self

    def __del__(self):
        sum(number for number in range(50))


def garbage(event, context):
    for _ in range(300):
        Cycle()


def fails(event, context):
    json.loads("{")


def sleeps(event, context):
    time.sleep(0.01)
