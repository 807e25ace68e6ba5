"""Which of the libraries that people mock or configure before their first import are imported already."""

import sys

WATCHED = ("asyncio", "boto3", "botocore", "concurrent.futures.thread", "multiprocessing", "requests", "selectors", "ssl",
           "sqlite3", "subprocess", "urllib3", "uuid", "httpx", "aiohttp", "gevent", "google.protobuf")  # fmt: skip
FOUND = [name for name in WATCHED if name in sys.modules]


def handler(event, context):
    return FOUND
