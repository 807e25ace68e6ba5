"""SQL statements in their shape: what is written into them, and what a driver says of it, is data."""

from __future__ import annotations

import re
from functools import cache

from lambda_latency.runtime.secret_values import REDACTED

__all__ = ["clean_quoted_statements", "clean_statement"]

VERBS = (
    "select insert update delete merge replace with call exec execute create alter grant set copy declare begin explain "
    "values upsert drop truncate do load"
).replace(" ", "|")  # fmt: skip


@cache
def patterns() -> tuple[re.Pattern[str], ...]:
    """Not before they are needed: a cold start pays for each."""
    return (
        re.compile(rf"(?is)\s*(?:/\*.*?\*/\s*|--[^\n]*\n\s*|\()*(?:{VERBS})\b"),
        # Text, with the prefixes that it may have; text between dollars; numbers that are no part of a name.
        re.compile(r"""(?s)(?:\b[NnEeBbXx])?'(?:[^'\\]|\\.|'')*(?:'|\Z)|\$(\w*)\$.*?(?:\$\1\$|\Z)|"""
                   r"""(?<![\w$@:.%"`\[-])(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w"`])"""),
        # In double quotes are names, but behind an operator and in lists of values.
        re.compile(r"""(?i)([=<>]|\b(?:like|ilike|rlike|regexp|between|identified\s+by)\b)(\s*)"(?:[^"\\]|\\.|"")*"(?!\s*\.)"""),
        re.compile(r"""(?is)\b(?:values|in)\s*\(.*"""),
        re.compile(r'"(?:[^"\\]|\\.|"")*"'),
        re.compile(r"\b(?:SELECT\b[^;]*?\bFROM|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|MERGE\s+INTO|REPLACE\s+INTO)"
                   r"\b|(?<=[\"'`:])\s?(?:select\b[^;]*?\bfrom|insert\s+into|update\s+\S+\s+set|delete\s+from)\b"),
        re.compile(r"\n\n|\n?\[parameters|\n?\(Background|\n\s*File \"|\nTraceback|\nDETAIL|\n?\]$"),
        re.compile(r"(?s)(\[parameters: ).*?(\]\s*(?:\n|\(Background|\Z)|\Z)"),
        re.compile(r"(\bKey \([^)]{1,200}\)=)\(.*?\)(?= already| is not| is still|\s*$)", re.MULTILINE),
        re.compile(r"(Failing row contains )\(.*\)"),
        re.compile(r"(Duplicate entry )'.*?'(?= for key)"),
        re.compile(r"(invalid input (?:syntax for|value for) [^:\n]{1,60}: )\".*?\""),
    )  # fmt: skip


def clean_statement(text: str) -> str:
    """An attribute that holds a statement: every literal is a question mark. What is no SQL stays."""
    begin, *_ = patterns()
    return shape(text, numbers=True) if begin.match(text) else text


def shape(text: str, *, numbers: bool) -> str:
    """The statement without its literals."""
    _, literal, operand, listed, double, *_ = patterns()
    if "\\'" in text:  # whether that ends a literal depends on the database: all up to the last quote may be one
        first, last = text.index("'"), text.rindex("'")
        text = f"{text[:first]}?{text[last + 1 :]}"
    text = literal.sub(lambda found: "?" if numbers or "'" in found[0] or "$" in found[0] else found[0], text)
    if '"' in text:
        text = operand.sub(r"\1\2?", text)
        text = listed.sub(lambda found: double.sub("?", found[0]), text)
    return text


def clean_quoted_statements(text: str) -> str:
    """An error's text without the literals of the statement that it quotes, and without what drivers quote of rows."""
    lower = text.lower()
    if not any([word in lower for word in ("select", "insert", "update", "delete", "merge", "replace")]):
        return without_rows(text)
    begin, stop = patterns()[5:7]
    out: list[str] = []
    at = 0
    while (found := begin.search(text, at)) is not None:
        end = end_of(text, found.start(), found.end(), stop)
        out += (text[at : found.start()], shape(text[found.start() : end], numbers=False))
        at = end
    return without_rows("".join([*out, text[at:]]))


def without_rows(text: str) -> str:
    """A driver's message without what it quotes of parameters and rows."""
    for mark, pattern in zip(("[parameters", "Key (", "Failing row", "Duplicate entry", "invalid input"),
                             patterns()[7:], strict=True):  # fmt: skip
        if mark in text:
            text = pattern.sub(rf"\1{REDACTED}\2" if mark == "[parameters" else rf"\1{REDACTED}", text)
    return text


def end_of(text: str, start: int, after: int, stop: re.Pattern[str]) -> int:
    """Where a statement ends: at the quote that it began with, or with what a driver writes behind it."""
    quote = text[start - 1 : start]
    if quote and quote in "\"'`":
        end = text.find(quote, after)
        while end > 0 and text[end - 1] == "\\":
            end = text.find(quote, end + 1)
        if end > 0 and (quote == '"' or text[end + 1 : end + 2] in ("", ")", ",", "]", "\n", ".", ":", ";", "}")):
            return end
    found = stop.search(text, after)
    return found.start() if found else len(text)
