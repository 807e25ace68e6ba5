"""JSON records of Lambda's runtime client, as `serve` prints them."""

from __future__ import annotations

import json

import pytest

from lambda_latency.local.sandbox.record import readable

ERROR = {
    "timestamp": "2026-11-26T04:35:04Z",
    "level": "ERROR",
    "errorMessage": "Syntax error in module 'functions.orders': invalid syntax (orders.py, line 1)",
    "errorType": "Runtime.UserCodeSyntaxError",
    "requestId": "",
    "stackTrace": ['  File "/var/task/functions/orders.py" Line 1\n    this is no Python'],
}


def test_an_error_is_its_type_its_message_and_its_stack() -> None:
    assert readable(json.dumps(ERROR)) == (
        f"ERROR Runtime.UserCodeSyntaxError: {ERROR['errorMessage']}\n"
        '  File "/var/task/functions/orders.py" Line 1\n'
        "    this is no Python"
    )


def test_a_logged_line_is_its_level_and_message() -> None:
    record = {"timestamp": "2026-11-26T04:35:04Z", "level": "WARNING", "message": "no stock\r", "logger": "root"}
    assert readable(json.dumps(record)) == "WARNING no stock"


@pytest.mark.parametrize(
    "line", ["plain", "", "{broken", "[1]", '{"level": "INFO"}', '{"message": "of somebody else"}']
)
def test_what_is_no_record_stays_as_it_is(line: str) -> None:
    assert readable(line) == line
