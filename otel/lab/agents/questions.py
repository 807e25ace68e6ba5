"""Twenty questions that people ask an assistant about slow requests, and the parts that a right answer has.

They were written before the tools. `lab.agents.scenes` writes the files that they are about.
"""

from __future__ import annotations

from typing import NamedTuple

MOST_CALLS = 3


class Question(NamedTuple):
    """What is asked about a file or a folder of the scenes, and the texts that the answers have together.

    `scene` is empty where the question names no file. `baseline` is a file to compare with.
    """

    asked: str
    scene: str
    expected: tuple[str, ...]
    baseline: str = ""


QUESTIONS = (
    Question("Why are our requests slow?", "shop.jsonl", ("payments.example.com", "POST /orders")),
    Question("Is the slow part our code, or somebody else's?", "shop.jsonl", ("The cause is external.",)),
    Question("What should we do about the slow checkout?", "shop.jsonl", ("Set a timeout for the call to",)),
    Question("Show me a request that proves it.", "shop.jsonl", ("POST payments.example.com", "took")),
    Question(
        "Did anything time out, and at which line?", "shop.jsonl", ("timed out at 3,000 ms", "functions/table.py:81")
    ),
    Question("Which table is throttled?", "shop.jsonl", ("retries", "OrdersTable")),
    Question("Why is GET /orders/{id} slow?", "shop.jsonl", ("retries of", "OrdersTable")),
    Question("Which requests failed?", "shop.jsonl", ("10 of", "502")),
    Question("How often do cold starts hurt?", "shop.jsonl", ("cold starts 12",)),
    Question("Since when is the search slow?", "search.jsonl", ("catalog_db", "from 2026-11-25T14:0")),
    Question("Which service behind the shop is slow?", "services.jsonl", ("inventory", "own code")),
    Question("Which customer has the slow requests?", "tenants.jsonl", ("tenant.id", "acme")),
    Question("Which line of our own code is slow?", "code.jsonl", ("own code", "functions/prices.py", "14")),
    Question("Which line was running when the export timed out?", "export.jsonl", ("functions/report.py:57",)),
    Question(
        "What got slower since last week?", "after.jsonl", ("orders_db", "Slower than the baseline"), "before.jsonl"
    ),
    Question("Did the deployment change anything?", "same.jsonl", ("No difference from the baseline",), "before.jsonl"),
    Question("Why are spans missing in these traces?", "broken.jsonl", ("trace-orphans", "flush before the freeze")),
    Question("Will the tracing of this template work?", "app", ("wrapper-missing", "template.yaml")),
    Question("How long did POST /orders take on each day?", "archive", ("POST /orders", "2026-11-25", "p95")),
    Question("Why was the last request slow?", "", ("last/traces.jsonl", "GET /basket", "redis.example.com")),
)
