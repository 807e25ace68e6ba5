"""Files of recorded requests."""

import json
from pathlib import Path

import pytest

from lambda_latency.diff.session import SessionCall, SessionRecorder, named_values, read_session
from lambda_latency.local import LocalError, UsageError

JSON = ("Content-Type", "application/json")


def test_ids_of_answers_become_names(tmp_path: Path) -> None:
    """A value that a later request repeats has the name of its field; what a request sent itself has none."""
    path = tmp_path / "session.json"
    recorder = SessionRecorder(path)
    order = b'{"order_id": "ord-123456", "customer": "customer-1", "items": [{"id": "item-99"}]}'
    body = b'{"customer": "customer-1", "items": []}'
    recorder.add_request("POST", "/orders", [JSON, ("Authorization", "secret"), ("Host", "x")], body, 201, order)
    recorder.add_request("POST", "/orders", [], b"", 201, b'{"order_id": "ord-654321"}')
    recorder.add_request("GET", "/orders/ord-123456?customer=customer-1", [], b"", 200, order)
    recorder.add_request("PUT", "/orders/ord-654321", [], b'{"item": "item-99"}', 404, b"not found")
    recorder.add_invocation("Report", b'{"of": "ord-123456"}', "ok", b"null")
    assert json.loads(path.read_text()) == {
        "calls": [
            {
                "request": "POST /orders",
                "headers": {"Content-Type": "application/json"},
                "body": {"customer": "customer-1", "items": []},
                "status": "201",
                "names": {"order_id": "order_id", "id": "items.0.id"},
            },
            {"request": "POST /orders", "status": "201", "names": {"order_id_2": "order_id"}},
            {"request": "GET /orders/{{order_id}}?customer=customer-1", "status": "200"},
            {"request": "PUT /orders/{{order_id_2}}", "body": {"item": "{{id}}"}, "status": "404"},
            {"invoke": "Report", "event": {"of": "{{order_id}}"}, "status": "ok"},
        ]
    }
    assert len(read_session(path)) == 5


def test_an_answer_has_values_of_names() -> None:
    """By their places; a place that the answer lacks, and an answer that is no JSON, have none."""
    call = SessionCall(request="POST /", names={"id": "items.0.id", "other": "nothing"})
    assert named_values(call, b'{"items": [{"id": "one"}]}') == {"id": "one"}
    assert named_values(call, b"OK") == {}


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ('{"calls": []}', "it has no call"),
        ("garbage", "JSON is malformed: invalid character (byte 0)"),
        ('{"calls": [{"requests": "GET /"}]}', "Object contains unknown field `requests` - at `$.calls[0]`"),
        ('{"calls": [{"request": "/orders"}]}', 'neither a request, "GET /PATH", nor a function to "invoke": /orders'),
        (
            '{"calls": [{"request": "GET /", "invoke": "F"}]}',
            'neither a request, "GET /PATH", nor a function to "invoke": GET /',
        ),
    ],
)
def test_an_invalid_session(tmp_path: Path, text: str, mistake: str) -> None:
    """The mistake names the file, and what to do."""
    path = tmp_path / "session.json"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_session(path)
    remedy = f"record one: lambda-latency serve --record {path}"
    assert str(caught.value) == f"{path} is no session of requests: {mistake}\n  {remedy}"


def test_a_missing_session_and_one_that_cannot_be_written(tmp_path: Path) -> None:
    """Both say what to do."""
    with pytest.raises(UsageError, match=r"none\.json is no session of requests: No such file or directory"):
        read_session(tmp_path / "none.json")
    with pytest.raises(LocalError, match="name another file with --record"):
        SessionRecorder(tmp_path / "missing" / "session.json")
