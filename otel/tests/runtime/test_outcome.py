"""What a handler returns may say that it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.runtime.conftest import Function

QUEUE = {"Records": [{"eventSource": "aws:sqs", "messageId": name} for name in ("a", "b")]}


def failures(*names: object) -> dict[str, Any]:
    """The answer that names them."""
    return {"batchItemFailures": [{"itemIdentifier": name} for name in names]}


@pytest.mark.parametrize(
    ("answer", "count", "error"),
    [
        (failures(), 0, None),
        (failures("a"), 1, None),
        (failures("a", "a"), 1, None),
        (failures("a", "b"), 2, "all 2 items of the batch failed"),
        (failures(""), 2, "all 2 items of the batch failed"),  # Lambda takes the whole batch as failed
        ({"batchItemFailures": [{}]}, 2, "all 2 items of the batch failed"),
        ({"batchItemFailures": None}, None, None),
        ({}, None, None),
    ],
)
def test_a_batch_of_which_all_items_failed_is_an_error(
    function: Function, answer: object, count: int | None, error: str | None
) -> None:
    """Lambda itself counts none; a part of a batch is a number on the span."""
    assert function.invoke(lambda _event, _context: answer, QUEUE) is answer
    span = function.trace.one("orders-create")
    assert span.attributes.get("lambda.batch.failures") == count
    assert (span.status_message, span.attributes.get("error.type")) == (
        error or "",
        error and "batchItemFailures",
    )


@pytest.mark.parametrize(
    ("event", "answer", "kind"),
    [
        ({"DurableExecutionArn": "arn"}, {"Status": "FAILED", "Error": {"ErrorType": "ValueError"}}, "ValueError"),
        ({"DurableExecutionArn": "arn"}, {"Status": "FAILED"}, "FAILED"),
        ({"DurableExecutionArn": "arn"}, {"Status": "SUCCEEDED"}, None),
        ({}, {"Status": "FAILED"}, None),
    ],
)
def test_a_durable_execution_that_failed_is_an_error(
    function: Function, event: object, answer: object, kind: str | None
) -> None:
    """It returns that it failed; what else returns such a word is no durable execution."""
    function.invoke(lambda _event, _context: answer, event)
    span = function.trace.one("orders-create")
    assert (span.status.name, span.attributes.get("error.type")) == ("ERROR" if kind else "UNSET", kind)


def test_an_answer_of_a_class_of_its_own_is_not_asked(function: Function) -> None:
    """Its methods may log, count or raise."""

    class Answer(dict[str, Any]):
        def get(self, *_: object) -> Any:
            raise LookupError("asked")

        __contains__ = __getitem__ = get

    answer = Answer(failures("a"))
    assert function.invoke(lambda _event, _context: answer, QUEUE) is answer
    assert function.trace.one("orders-create").attributes["lambda.batch.failures"] == 1
