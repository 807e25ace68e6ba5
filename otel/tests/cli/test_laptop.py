"""What `serve` prints while several threads have something to tell."""

from __future__ import annotations

import io
import sys

import pytest

from lambda_latency.cli.laptop import print_line, tell


def test_a_line_is_written_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread's can come before it or behind it, and not between its text and its end."""
    written: list[str] = []

    class Output(io.StringIO):
        def write(self, text: str) -> int:
            written.append(text)
            return len(text)

    monkeypatch.setattr(sys, "stdout", Output())
    monkeypatch.setattr(sys, "stderr", Output())
    print_line("Greet", "hello")
    tell("left out")
    assert [text for text in written if text] == ["Greet: hello\n", "left out\n"]
