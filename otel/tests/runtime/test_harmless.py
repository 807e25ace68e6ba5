"""An error in the kit costs a line in the log at most."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lambda_latency.runtime import harmless
from lambda_latency.runtime.redact import credentials

if TYPE_CHECKING:
    import pytest


@harmless.harmless("the step")
def fails(error: Exception) -> None:
    """Raises it."""
    raise error


def test_an_error_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """It says what failed."""
    fails(ValueError("no"))
    assert caplog.messages == ["lambda-latency: the step failed (ValueError: no); the request goes on"]


def test_a_line_that_cannot_be_written_is_left_out(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error's text may raise, a filter of the function's, or redaction under a hook that checks types."""

    class OddError(Exception):
        def __str__(self) -> str:
            raise LookupError("no text")

    fails(OddError())

    def refuse(_: object) -> bool:
        raise LookupError("no line")

    log = logging.getLogger("lambda_latency.runtime")
    with monkeypatch.context() as replaced:
        replaced.setattr(log, "filters", [refuse])
        fails(ValueError("filtered"))
    monkeypatch.setattr(credentials, "clean", refuse)
    fails(ValueError("cleaned"))
    assert caplog.messages == []
