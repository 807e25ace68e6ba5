"""Answers of servers, well-formed and not."""

from __future__ import annotations

from http.client import BadStatusLine, RemoteDisconnected

import pytest

from lambda_latency.runtime.delivery.transport import read_answer


def read(*parts: bytes) -> tuple[int, bool]:
    """Status, and whether the connection can be used again."""
    left = list(parts)
    answer = read_answer(lambda: left.pop(0) if left else b"")
    return answer.status, answer.kept


def test_an_answer_comes_in_any_pieces() -> None:
    """To its end, and the connection is kept."""
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\n{}"
    for cut in range(len(whole)):
        assert read(*filter(None, (whole[:cut], whole[cut:]))) == (200, True)
    assert read(*(whole[at : at + 1] for at in range(len(whole)))) == (200, True)


def test_what_comes_before_the_answer_is_passed() -> None:
    """100 Continue."""
    assert read(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n") == (204, True)


@pytest.mark.parametrize(
    "rest",
    [
        b"HTTP/1.0 503 Busy\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\n\r\nuntil the end",
        b"HTTP/1.1 503 Busy\r\nContent-Length: 9999999999\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\n{}",
    ],
)
def test_a_connection_whose_next_answer_cannot_be_told_is_given_up(rest: bytes) -> None:
    """The status counts all the same."""
    assert read(rest) == (503, False)


@pytest.mark.parametrize("nonsense", [b"\r\n\r\n", b"SSH-2.0\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n"])
def test_what_is_no_answer_is_named(nonsense: bytes) -> None:
    """With http.client's own exception."""
    with pytest.raises(BadStatusLine):
        read(nonsense)


def test_no_answer_at_all_is_a_closed_connection() -> None:
    """As after the idle limit of the other side."""
    with pytest.raises(RemoteDisconnected):
        read()
