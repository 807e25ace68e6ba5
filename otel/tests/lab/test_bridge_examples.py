"""Powertools' examples: which of them are run, and the server that they call."""

from __future__ import annotations

import json
from pathlib import Path

from lab.bridge.examples import FOLDER, examples_in, served
from lambda_latency.http import request


def test_examples_are_the_modules_with_a_handler(tmp_path: Path) -> None:
    """In their order; a module that another one imports is none."""
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    handler = "def lambda_handler(event, context): ...\n"
    for name, text in (("b.py", handler), ("a.py", handler), ("c.py", "")):
        (folder / name).write_text(text)
    assert examples_in(tmp_path) == ["a", "b"]


def test_the_server_answers_every_request_with_a_receipt() -> None:
    """Whatever its method."""
    with served() as address:
        for method, body in (("GET", None), ("POST", "charge_id=1")):
            answer = request(method, f"{address}/collect", body)
            assert (answer.status, json.loads(answer.body)) == (200, {"receipt_id": "receipt-1"})
