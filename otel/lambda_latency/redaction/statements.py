"""Removes literals from SQL statements, and the data that drivers quote in their messages."""

from __future__ import annotations

from collections.abc import Iterator

from lambda_latency.redaction.names import compiled
from lambda_latency.redaction.reading import B, Reading, Span, replaced

# Text with its prefix, text between dollars, and numbers that are not part of a name. What is not closed goes to the
# end, also after a last backslash: so no match fails, and none is tried again from each quote in it.
TEXT = r"""(?s)(?:\b[NnEeBbXx])?'(?:[^'\\]|\\.|'')*(?:'|\\?\Z)|\$(\w*)\$.*?(?:\$\1\$|\Z)"""
NUMBER = r"""(?<![\w$@:.%"`\[-])(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w"`])"""
# Double quotes hold names, except after an operator and in lists of values.
OPERAND = (
    r"""(?i)(?:[=<>]|\b(?:like|ilike|rlike|regexp|between|identified\s{1,9}by)\b)\s{0,9}"""
    r"""("(?:[^"\\]|\\.|""){0,4000}")(?!\s{0,9}\.)"""
)
LISTED = r"(?is)\b(?:values|in)\s*\(.*"
DOUBLE = r'(?s)"(?:[^"\\]|\\.|"")*(?:"|\\?\Z)'
# In small letters they are words of sentences, but after a quote or a colon.
STATEMENT = (
    rf"(?:s{B}elect|i{B}nsert\s{{1,9}}into|u{B}pdate\s{{1,9}}\S{{1,80}}\s{{1,9}}set|d{B}elete\s{{1,9}}from|"
    rf"(?:m{B}erge|r{B}eplace)\s{{1,9}}into|(?:c{B}reate|a{B}lter)\s{{1,9}}user|s{B}et\s{{1,9}}password|p{B}ragma)\b|"
    r"\[sql: (?=\w)"
)
STOP = r"\n\n|\n?\[parameters|\n?\(Background|\n\s{0,80}File \"|\nTraceback|\nDETAIL|\n?\]$"
# Redis commands whose arguments are passwords.
REDIS = r"(?is)\s*((?:HELLO\s+\d\s+)?AUTH|ACL\s+SETUSER|CONFIG\s+SET\s+\S{0,80}?(?:pass|auth)\S{0,80})\s.*"


def clean_statement(text: str) -> str:
    """Return a statement with question marks for its literals, and for the passwords of Redis."""
    redis = compiled(REDIS).match(text)
    return f"{redis[1]} ?" if redis else replaced(text, literals(text, 0, len(text), numbers=True))


def literals(text: str, start: int, end: int, *, numbers: bool) -> list[Span]:
    """Return the literals of the statement between two positions; numbers stay if `numbers` is False."""
    parts: list[Span] = []
    # The database decides if this ends a literal, so all up to the last quote goes
    if text.find("\\'", start, end) >= 0:
        parts.append((text.index("'", start, end), text.rindex("'", start, end) + 1, "?"))
    pattern = f"{TEXT}|{NUMBER}" if numbers else TEXT
    parts += [(*match.span(), "?") for match in compiled(pattern).finditer(text, start, end)]
    if text.find('"', start, end) >= 0:
        parts += [(*match.span(1), "?") for match in compiled(OPERAND).finditer(text, start, end)]
        listed = compiled(LISTED).search(text, start, end)
        if listed is not None:
            parts += [(*match.span(), "?") for match in compiled(DOUBLE).finditer(text, listed.start(), end)]
    return parts


def quoted(reading: Reading) -> Iterator[Span]:
    """Yield the literals of the statements that a text quotes."""
    text, end = reading.text, 0
    last_from = reading.lower.rfind("from")
    for verb in reading.matches(STATEMENT, lower=True):
        start = verb.end() if verb[0][0] == "[" else verb.start()
        is_sentence = verb[0] == "select" and last_from < start
        is_begun = text[start].isupper() or text[max(0, start - 2) : start].strip()[-1:] in ("'", '"', "`", ":")
        if start >= end and is_begun and not is_sentence:
            stop = compiled(STOP).search(text, verb.end())
            end = stop.start() if stop else len(text)
            yield from sorted(literals(text, start, end, numbers=False))
