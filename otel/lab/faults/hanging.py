"""A function that never comes to an end, in the way that its event says: `HANGS` names them."""

import _socket
import hashlib
import os
import re
import select
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import requests
from botocore.config import Config
from opentelemetry import trace

URL = os.environ["PROVIDER"]
HOLE = os.environ.get("HOLE", "127.0.0.1:9")  # takes connections and never says a word
PATIENT = Config(read_timeout=600, connect_timeout=600, retries={"total_max_attempts": 1})
TABLE = boto3.resource("dynamodb", endpoint_url=f"http://{HOLE}", config=PATIENT).Table("orders")
TRACER = trace.get_tracer("function")
SLOW_NAME = "slow.example.com"


def handler(event: dict[str, Any], context: Any) -> Any:
    """One call that ends, and then what the event says."""
    requests.get(f"{URL}/first", timeout=5)
    do = event.get("do", "nothing")
    return HANGS[do]() if do in HANGS else DO[do](context)


def own_loop() -> None:
    number = 0
    while True:
        number += 1


def sleep() -> None:
    time.sleep(600)


def recv() -> None:
    requests.get(f"http://{HOLE}/slow", timeout=600)


def botocore_call() -> None:
    TABLE.get_item(Key={"id": "1"})


def worker_thread() -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(own_loop).result()


def hashing() -> None:
    hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 2_000_000_000)


def dns() -> None:
    ask = _socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any) -> Any:
        # As with a name server that never answers: a call of C that lets other threads run.
        return select.select([], [], [], 600) if host == SLOW_NAME else ask(host, *args)

    _socket.getaddrinfo = getaddrinfo  # type: ignore[assignment]
    requests.get(f"http://{SLOW_NAME}/", timeout=600)


def tls() -> None:
    requests.get(f"https://{HOLE}/", timeout=600)


def makes_it(context: Any) -> Any:
    """Answers between the alarm and the deadline."""
    time.sleep(context.get_remaining_time_in_millis() / 1000 - 0.1)
    return {"statusCode": 200, "body": "{}"}


def long_work(_context: Any) -> None:
    """One call after the other, each in a step that ends, for ever."""
    while True:
        with TRACER.start_as_current_span("step"):
            requests.get(f"{URL}/step", timeout=5)
            time.sleep(0.3)


HANGS: dict[str, Any] = {
    "own loop": own_loop,
    "sleep": sleep,
    "recv": recv,
    "botocore": botocore_call,
    "worker": worker_thread,
    "hashlib": hashing,
    "dns": dns,
    "tls": tls,
}
DO: dict[str, Any] = {
    "nothing": lambda _context: {"statusCode": 200, "body": "{}"},
    "makes it": makes_it,
    # C code that holds the interpreter's lock: no other thread runs, ours neither.
    "sum": lambda _context: sum(range(10**12)),
    "regex": lambda _context: re.match(r"(a+)+$", "a" * 64 + "b"),
    "long work": long_work,
}
