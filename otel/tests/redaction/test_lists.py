"""Lists of words: what is removed by the words before it, and what stays."""

from random import Random

import pytest

from lambda_latency.redaction import Redaction, clean
from tests.redaction.commands import Value, harmless_values, secret_values

SECRET = "Sommer!309z"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("mysql", f"-p{SECRET}", "shop"), ("mysql", "-p[redacted]", "shop")),
        (("curl", "-u", f"user:{SECRET}"), ("curl", "-u", "[redacted]")),
        (("Authorization", SECRET), ("Authorization", "[redacted]")),
        (("Host", "h", "Cookie", "hunter"), ("Host", "h", "Cookie", "[redacted]")),
        (("curl", "-u", "ada", "https://h"), ("curl", "-u", "ada", "https://h")),
        (("env", "DB_PASSWORD=a;b&c", "run"), ("env", "DB_PASSWORD=[redacted]", "run")),
        (("docker", "run", "-u", "a", "-p", "80:80/tcp"), ("docker", "run", "-u", "a", "-p", "80:80/tcp")),
        (("", "-p", ""), ("", "-p", "")),
    ],
)  # fmt: skip
def test_a_list_is_read_as_a_whole(words: Value, expected: Value) -> None:
    """The words before a word say what it is."""
    assert Redaction(None, 100).value("app.args", words) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"pwd -> {SECRET}", "pwd -> [redacted]"), ("pwd -> /var/task", "pwd -> /var/task"),
        (f"bad credentials {SECRET}", "bad credentials [redacted]"),
        ("credentials of role orders-v2 expired", "credentials of role orders-v2 expired"),
        (f"{{'code': '{SECRET}', 'grant_type': 'authorization_code'}}",
         "{'code': '[redacted]', 'grant_type': 'authorization_code'}"),
        (f"oauth code {SECRET} expired", "oauth code [redacted] expired"), ("error code E1234", "error code E1234"),
        ("the net use of memory grew by v2.1x", "the net use of memory grew by v2.1x"),
        (f"psql -c 'ALTER USER a PASSWORD '\"'\"'{SECRET}'\"'\"''", "psql -c 'ALTER USER a PASSWORD ?\"?\"?"),
    ],
)  # fmt: skip
def test_a_text_is_read_as_the_command_or_the_sentence_that_it_is(text: str, expected: str) -> None:
    """Arrows, codes of OAuth, credentials without a mark between."""
    assert clean(text, ()) == expected


@pytest.mark.parametrize("seed", range(3))
def test_no_secret_of_a_list_or_a_text_is_left(seed: int) -> None:
    """Of every line: arguments, headers, variables, sentences and addresses."""
    redaction = Redaction(None, 4096)
    drawn = secret_values(Random(seed))  # noqa: S311 - what is drawn protects nothing
    pairs = [(text, redaction.value("app.args", text)) for text, _ in drawn]
    leaked = [p for p, (_, secret) in zip(pairs, drawn, strict=True) if secret[: len(secret) // 2] in str(p[1])]
    assert leaked == []


@pytest.mark.parametrize("seed", range(3))
def test_no_harmless_list_or_text_is_changed(seed: int) -> None:
    """Of every line that looks like one with a secret."""
    redaction = Redaction(None, 4096)
    drawn = harmless_values(Random(seed))  # noqa: S311 - what is drawn protects nothing
    assert [text for text in drawn if redaction.value("app.args", text) != text] == []


def test_a_list_that_has_numbers_or_long_texts_is_read_word_by_word() -> None:
    """It is no command line."""
    redaction = Redaction(None, 10_000)
    assert redaction.value("app.args", ("--password", 5)) == ("--password", 5)
    assert redaction.value("app.args", ("--password", "x" * 5000)) == ("--password", "x" * 5000)
