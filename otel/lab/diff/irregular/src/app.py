"""A handler whose routes do what makes counts differ between two runs of the same code."""

import asyncio
import json
import os
import random
import time
import uuid
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Thread

import boto3

CLIENT = boto3.client("dynamodb")
POOL = ThreadPoolExecutor(3)  # its threads outlive a request


def read(number):
    """Read an item that does not exist."""
    return CLIENT.get_item(TableName=os.environ["TABLE"], Key={"id": {"S": str(number)}})


def pool():
    """Call on threads, in the order of their ends."""
    with ThreadPoolExecutor(5) as workers:
        return [len(done.result()) for done in as_completed([workers.submit(read, number) for number in range(5)])]


def lasting_pool():
    """Call on threads of an earlier request."""
    return [len(answer) for answer in POOL.map(read, range(5))]


def tasks():
    """Wait for tasks that run on threads and that sleep."""

    async def together():
        await asyncio.gather(*(asyncio.to_thread(read, number) for number in range(3)), asyncio.sleep(0.02))

    asyncio.run(together())


class Key:
    """A key that is compared by Python code."""

    def __init__(self, value):
        self.value = value

    def __lt__(self, key):
        return self.value < key.value


def sorted_keys():
    """Sort random keys, which takes a different number of comparisons each time."""
    return len(sorted([Key(random.random()) for _ in range(50)] + [Key(uuid.uuid4().int) for _ in range(50)]))  # noqa: S311


def search():
    """Search a set of texts, whose order depends on the hash seed."""
    steps = 0
    for word in {f"word-{number}" for number in range(200)}:
        steps += 1
        if word == "word-50":
            break
    return steps


def busy():
    """Execute as much as fits into some time."""
    until, steps = time.perf_counter() + 0.003, 0
    while time.perf_counter() < until:
        steps += 1
    return steps


def poll():
    """Ask again and again whether a thread has ended."""
    done = []
    Thread(target=lambda: (time.sleep(0.01), done.append(1))).start()
    while not done:
        time.sleep(0.001)


class Cycle:
    """Garbage that executes something when it is collected."""

    def __init__(self):
        self.me = self

    def __del__(self):
        sum(number for number in range(100))


def garbage():
    """Make garbage in cycles."""
    for _ in range(200):
        Cycle()


KINDS = {f.__name__: f for f in (pool, lasting_pool, tasks, sorted_keys, search, busy, poll, garbage)}


def handler(event, context):
    """Do what the path names."""
    kind = event["pathParameters"]["kind"]
    KINDS[kind]()
    return {"statusCode": 200, "body": json.dumps({"kind": kind})}
