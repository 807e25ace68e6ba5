"""A function that asks an API, a cache and a database in each request; its event says which of them is slow."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import redis
import requests
from sqlalchemy import create_engine, text

API = os.environ["PROVIDER"]
CACHE = redis.Redis(host="localhost", port=int(os.environ["REDIS"]))
ENGINE = create_engine(
    f"mysql+pymysql://shop:secret@localhost:{os.environ['MARIADB']}/shop", pool_size=1, max_overflow=0, pool_timeout=30
)
SLOW_S = 0.5


def handler(event: dict[str, Any], context: Any) -> Any:
    """One request; what is slow in it comes from the server, or from the pool."""
    slow = event.get("slow", "")
    requests.get(API, timeout=5)
    CACHE.get("order:1")
    if slow == "redis":
        CACHE.blpop("nothing", SLOW_S)
    holder = threading.Thread(target=hold) if slow == "pool" else None
    if holder is not None:
        holder.start()
        HELD.wait()
    with ENGINE.connect() as connection:
        connection.execute(text(f"select sleep({SLOW_S if slow == 'mysql' else 0})"))
    if holder is not None:
        holder.join()
        HELD.clear()
    return {"statusCode": 200, "body": "{}"}


HELD = threading.Event()


def hold() -> None:
    """Somebody else has the pool's only connection."""
    with ENGINE.connect():
        HELD.set()
        time.sleep(SLOW_S)
