"""The function under test: it does what its event says, and in each call it holds secrets in its hands."""

import contextlib
import os
import signal
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import requests
from botocore.config import Config
from botocore.exceptions import ClientError
from opentelemetry import trace

from lab.faults.journal import keep_journal

if folder := os.environ.get("JOURNAL"):
    keep_journal(folder)

URL = os.environ.get("PROVIDER", "http://127.0.0.1:9")
GONE = os.environ.get("GONE", "http://127.0.0.1:9")
SECRET = os.environ.get("PLANTED", "planted")
TABLE = boto3.resource("dynamodb", endpoint_url=URL, config=Config(retries={"total_max_attempts": 2})).Table("orders")
TRACER = trace.get_tracer("function")
HEADERS = {"Authorization": f"Bearer {SECRET}", "Cookie": f"session={SECRET}", "X-Api-Key": SECRET}
QUERY = f"?token={SECRET}&customer={SECRET}"


class ProviderError(Exception):
    """The provider did not answer."""


def handler(event: dict[str, Any], context: Any) -> Any:
    """One invocation. `left_ms`: it answers so many milliseconds before its deadline."""
    do = event.get("do", "work")
    if do != "nothing":
        work()
    if "left_ms" in event:
        time.sleep(max(0.0, (context.get_remaining_time_in_millis() - event["left_ms"]) / 1000))
    return DO[do](event)


def work() -> None:
    """What every handler does: a table, an API, and a thread for something beside."""
    with contextlib.suppress(ClientError):
        TABLE.get_item(Key={"id": "1"})
    requests.get(f"{URL.replace('//', f'//user:{SECRET}@')}/rates{QUERY}", headers=HEADERS, timeout=5)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(step, "in a pool").result()


def step(name: str) -> None:
    """A span of the function's own, which says too much."""
    with TRACER.start_as_current_span(name) as span:
        span.set_attribute("http.request.header.authorization", [f"Bearer {SECRET}"])
        span.set_attribute("password", SECRET)
        span.set_attribute("environment", str({key: os.environ.get(key) for key in os.environ if "AWS_S" in key}))
        span.set_attribute("note", f"asked http://user:{SECRET}@host/path{QUERY}")


def fine(_event: object) -> Any:
    """As usual."""
    return {"statusCode": 200, "body": "{}"}


def raises(_event: object) -> Any:
    """An exception whose cause has the address with the query in its message."""
    try:
        requests.get(f"{GONE}/charges{QUERY}", timeout=5)
    except requests.ConnectionError as error:
        raise ProviderError("no answer") from error


def many(event: dict[str, Any]) -> Any:
    """Very many spans, and much on each."""
    for number in range(event["spans"]):
        with TRACER.start_as_current_span(f"step {number}") as span:
            span.set_attribute("text", "x" * event["bytes"])
    return fine(event)


def late(event: object) -> Any:
    """A thread that goes on when the response is out."""

    def behind() -> None:
        step("behind")
        with urllib.request.urlopen(f"{URL}/late{QUERY}", timeout=5) as answer:
            answer.read()

    threading.Thread(target=behind, daemon=True).start()
    return fine(event)


DO: dict[str, Any] = {
    "nothing": fine,
    "work": fine,
    "raise": raises,
    "exit": lambda _event: sys.exit(3),
    "_exit": lambda _event: os._exit(3),
    "hang": lambda _event: time.sleep(600),
    "kill": lambda _event: os.kill(os.getpid(), signal.SIGKILL),
    "5xx": lambda _event: {"statusCode": 503, "body": "{}"},
    "object": lambda _event: object(),
    "large": lambda _event: "x" * (6 * 1024 * 1024 + 1),
    "many": many,
    "late": late,
}
