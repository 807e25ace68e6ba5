"""Removes literals from SQL statements, and the data that drivers quote in their messages."""

from __future__ import annotations

from collections.abc import Iterator

from lambda_latency.redaction.names import compiled
from lambda_latency.redaction.reading import Reading, Span

VERBS = (
    "select|insert|update|delete|merge|replace|with|call|exec|execute|create|alter|grant|set|copy|declare|begin|"
    "explain|values|upsert|drop|truncate|do|load"
)
COMMENT = r"/\*[^*]*(?:\*(?!/)[^*]*)*\*/|--[^\n]*\n"
BEGIN = rf"(?is)\s*(?:(?:{COMMENT}|\()\s*)*(?:{VERBS})\b"
# Text with its prefix, text between dollars, and numbers that are not part of a name.
TEXT = r"""(?s)(?:\b[NnEeBbXx])?'(?:[^'\\]|\\.|'')*(?:'|\Z)|\$(\w*)\$.*?(?:\$\1\$|\Z)"""
NUMBER = r"""(?<![\w$@:.%"`\[-])(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w"`])"""
# Double quotes hold names, except after an operator and in lists of values.
OPERAND = (
    r"""(?i)(?:[=<>]|\b(?:like|ilike|rlike|regexp|between|identified\s{1,9}by)\b)\s{0,9}"""
    r"""("(?:[^"\\]|\\.|""){0,4000}")(?!\s{0,9}\.)"""
)
LISTED = r"(?is)\b(?:values|in)\s*\(.*"
DOUBLE = r'"(?:[^"\\]|\\.|"")*"'
# In small letters they are words of sentences, but after a quote or a colon.
STATEMENT = (
    r"(?:select|insert\s{1,9}into|update\s{1,9}\S{1,80}\s{1,9}set|delete\s{1,9}from|merge\s{1,9}into|"
    r"replace\s{1,9}into|(?:create|alter)\s{1,9}user|set\s{1,9}password|pragma)\b|\[sql: (?=\w)"
)
# Redis commands whose arguments are passwords.
REDIS = r"(?is)\s*((?:HELLO\s+\d\s+)?AUTH|ACL\s+SETUSER|CONFIG\s+SET\s+\S{0,80}?(?:pass|auth)\S{0,80})\s.*"
STOP = r"\n\n|\n?\[parameters|\n?\(Background|\n\s{0,80}File \"|\nTraceback|\nDETAIL|\n?\]$"


def clean_statement(text: str) -> str:
    """Return a statement with question marks for its literals. Other texts stay, but for the passwords of Redis."""
    if compiled(BEGIN).match(text):
        out, copied = list[str](), 0
        for start, end, _ in literals(text, 0, len(text), numbers=True):
            if start >= copied:
                out += (text[copied:start], "?")
            copied = max(copied, end)
        return "".join([*out, text[copied:]])
    return compiled(REDIS).sub(r"\1 ?", text, count=1) if compiled(REDIS).match(text) else text


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
    return sorted(parts)


def quoted(reading: Reading) -> Iterator[Span]:
    """Yield the literals of the statements that a text quotes."""
    text, end = reading.text, 0
    last_from = reading.lower.rfind("from")
    for verb in reading.matches_in_lower_case(STATEMENT):
        start = verb.end() if verb[0][0] == "[" else verb.start()
        is_sentence = verb[0] == "select" and last_from < start
        if start < end or is_sentence or not begins_statement(text, start):
            continue
        end = end_of(text, start, verb.end())
        yield from literals(text, start, end, numbers=False)


def begins_statement(text: str, start: int) -> bool:
    """Whether a verb at a position begins a statement: in capitals, or after a quote or a colon."""
    before = text[max(0, start - 2) : start]
    if before[-1:].isalnum() or before[-1:] == "_":
        return False
    return text[start].isupper() or before.rstrip()[-1:] in ("'", '"', "`", ":")


def end_of(text: str, start: int, verb_end: int) -> int:
    """Return the end of a statement: at its closing quote, or before the text that a driver appends."""
    quote = text[start - 1 : start]
    if quote and quote in "\"'`":
        end = text.find(quote, verb_end)
        while end > 0 and text[end - 1] == "\\":
            end = text.find(quote, end + 1)
        if end > 0 and (quote == '"' or text[end + 1 : end + 2] in ("", ")", ",", "]", "\n", ".", ":", ";", "}")):
            return end
    stop = compiled(STOP).search(text, verb_end)
    return stop.start() if stop else len(text)
