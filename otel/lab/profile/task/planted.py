"""Requests whose time goes to one planted function, of 23 kinds, beside two other functions with a known part of it."""

from __future__ import annotations

import concurrent.futures
import copy
import csv
import decimal
import difflib
import hashlib
import io
import json
import re
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

BIG: list[dict[str, Any]] = [{"id": n, "name": f"name {n}", "tags": ["a", "b"], "price": n * 1.5} for n in range(4000)]
TEXT = json.dumps(BIG)
BLOB = TEXT.encode()[:150_000]
WORDS = [f"w{n * 7919 % 10007}" for n in range(60_000)]
POOL = concurrent.futures.ThreadPoolExecutor(2)
LOCK = threading.Lock()


def spin(n: int) -> int:
    """Computes in pure Python."""
    x = 0
    for i in range(n):
        x += i * i % 7
    return x


def loop(n: int) -> object:
    """A loop in Python."""
    x = 1
    for i in range(14_000 * n):
        x = (x * 3 + i) % 1_000_003
    return x


def straight(n: int) -> object:
    """Statements without calls."""
    x = 1
    for _ in range(9_000 * n):
        x = x * 3 % 1_000_003
        x = x ^ 5
        x = x + 7
    return x


def comprehension(n: int) -> object:
    """Nested comprehensions."""
    return [[j * j for j in range(6000)] for _ in range(5 * n)]


def formatting(n: int) -> object:
    """Texts by format."""
    return [f"{word:>12}-{n:05d}" for word in WORDS[: 7000 * n]]


def regex(n: int) -> object:
    """Many short backtracking matches."""
    return [re.match(r"(a+)+$", "a" * 15 + "b") for _ in range(n)]


def regex_long(n: int) -> object:
    """One long backtracking match, which keeps all threads from running."""
    return re.match(r"(a+)+$", "a" * (16 + n.bit_length()) + "b")


def json_dumps(n: int) -> object:
    """A large JSON text."""
    return [json.dumps(BIG[:600]) for _ in range(3 * n)]


def json_loads(n: int) -> object:
    """Reading a large JSON text."""
    return [json.loads(TEXT) for _ in range(n // 2 + 1)]


def sort(n: int) -> object:
    """Sorting in C."""
    return [sorted(WORDS) for _ in range(n // 2 + 1)]


def sort_key(n: int) -> object:
    """Sorting by a lambda."""
    return [sorted(WORDS[:9000], key=lambda word: word[::-1]) for _ in range(2 * n)]


def password_hash(n: int) -> object:
    """Hashing, which releases the interpreter."""
    return hashlib.pbkdf2_hmac("sha256", b"x", b"y", 9000 * n)


def compress(n: int) -> object:
    """Compressing, which releases the interpreter."""
    return [zlib.compress(BLOB, 6) for _ in range(2 * n)]


def sleep(n: int) -> object:
    """Waiting."""
    time.sleep(0.008 * n)
    return None


def lock(n: int) -> object:
    """Waiting for a lock that another thread holds."""
    LOCK.acquire()
    threading.Timer(0.008 * n, LOCK.release).start()
    with LOCK:
        return None


def pool_sleep(n: int) -> object:
    """A pool's thread that waits."""
    return POOL.submit(sleep, n).result()


def pool_hash(n: int) -> object:
    """A pool's thread that computes."""
    return POOL.submit(password_hash, n).result()


def deepcopy(n: int) -> object:
    """Copying a tree."""
    return [copy.deepcopy(BIG[:150]) for _ in range(3 * n)]


def decimals(n: int) -> object:
    """Decimal arithmetic."""
    return [decimal.Decimal(i).sqrt() for i in range(2500 * n)]


def diff(n: int) -> object:
    """The library's own Python code."""
    return [difflib.SequenceMatcher(None, TEXT[:300], TEXT[200:500]).ratio() for _ in range(5 * n)]


def table(n: int) -> object:
    """Reading a table."""
    return [list(csv.reader(io.StringIO("a,b,c\n" * 8000))) for _ in range(3 * n)]


def large_numbers(n: int) -> object:
    """Arithmetic with large numbers."""
    return [pow(3, 60_000 + i) % 97 for i in range(30 * n)]


def many_reads(n: int) -> object:
    """Short system calls between computing: the interpreter is released where little time is spent."""
    with Path("/dev/zero").open("rb", buffering=0) as zeros:
        for _ in range(3 * n):
            zeros.read(20_000)
            spin(25_000)
    return None


def objects(n: int) -> object:
    """Many objects, which the garbage collector visits."""
    return [{"i": [i]} for i in range(9000 * n)]


KINDS: dict[str, Callable[[int], object]] = {
    one.__name__: one
    for one in (
        loop, straight, comprehension, formatting, regex, regex_long, json_dumps, json_loads, sort, sort_key,
        password_hash, compress, sleep, lock, pool_sleep, pool_hash, deepcopy, decimals, diff, table, large_numbers,
        many_reads, objects,
    )
}  # fmt: skip
SPENT_IN = {"many_reads": "spin", "pool_sleep": "sleep", "pool_hash": "password_hash"}
"""Where the time of a kind is spent, if not in its own function."""


def other_compute(n: int) -> int:
    """A second function that computes."""
    return sum(i % 3 for i in range(n))


def other_wait() -> None:
    """A third function, which waits."""
    time.sleep(0.01)


def calls(work: Callable[[], object]) -> object:
    """Calls a library."""
    return work()


def calibrated(work: Callable[[int], object], seconds: float) -> int:
    """The argument with which one call takes about some seconds."""
    n = 1
    while True:
        took = seconds_of(work, n)
        if took >= seconds:
            took = min(took, seconds_of(work, n))  # a busy machine makes single calls slow
        if took >= seconds or n > 4000:
            return n
        n = max(n + 1, int(n * min(4.0, seconds / max(took, 1e-6))))


def seconds_of(work: Callable[[int], object], n: int) -> float:
    """How long one call takes."""
    begun = time.perf_counter()
    work(n)
    return time.perf_counter() - begun


def handler(event: dict[str, Any], _context: object) -> dict[str, float]:
    """One request of `turns` turns; the answer is the seconds spent in each of the three functions."""
    work, n, turns = KINDS[event["kind"]], event["n"], event["turns"]
    clock = time.perf_counter
    spent = {"work": 0.0, "other_compute": 0.0, "other_wait": 0.0}
    for _ in range(turns):
        begun = clock()
        work(n)
        worked = clock()
        other_compute(event["other"])
        computed = clock()
        other_wait()
        spent["work"] += worked - begun
        spent["other_compute"] += computed - worked
        spent["other_wait"] += clock() - computed
    return spent
