"""Removes literals from SQL statements, and the data that drivers quote in their messages."""

from __future__ import annotations

from lambda_latency.runtime.redact.names import compiled
from lambda_latency.runtime.redact.values import REDACTED

VERBS = (
    "select|insert|update|delete|merge|replace|with|call|exec|execute|create|alter|grant|set|copy|declare|begin|"
    "explain|values|upsert|drop|truncate|do|load"
)
BEGIN = rf"(?is)\s*(?:/\*.*?\*/\s*|--[^\n]*\n\s*|\()*(?:{VERBS})\b"
# Text with its prefix, text between dollars, and numbers that are not part of a name.
LITERAL = (
    r"""(?s)(?:\b[NnEeBbXx])?'(?:[^'\\]|\\.|'')*(?:'|\Z)|\$(\w*)\$.*?(?:\$\1\$|\Z)|"""
    r"""(?<![\w$@:.%"`\[-])(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w"`])"""
)
# Double quotes hold names, except after an operator and in lists of values.
OPERAND = r"""(?i)([=<>]|\b(?:like|ilike|rlike|regexp|between|identified\s+by)\b)(\s*)"(?:[^"\\]|\\.|"")*"(?!\s*\.)"""
LISTED = r"(?is)\b(?:values|in)\s*\(.*"
DOUBLE = r'"(?:[^"\\]|\\.|"")*"'
WITHIN = (
    r"\b(?:SELECT|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|MERGE\s+INTO|REPLACE\s+INTO)\b|"
    r"(?<=[\"'`:])\s?(?:select|insert\s+into|update\s+\S+\s+set|delete\s+from)\b|(?<=\[SQL: )\w+"
)
# Redis commands whose arguments are passwords.
REDIS = r"(?is)\s*((?:HELLO\s+\d\s+)?AUTH|ACL\s+SETUSER|CONFIG\s+SET\s+\S*(?:pass|auth)\S*)\s.*"
STOP = r"\n\n|\n?\[parameters|\n?\(Background|\n\s*File \"|\nTraceback|\nDETAIL|\n?\]$"
# The forms in which drivers quote parameters and rows, by a text that each contains.
ROWS = {
    "[parameters": r"(?s)(\[parameters: ).*?(?=\]\s*(?:\n|\(Background|\Z)|\Z)",
    "Key (": r"(?m)(\bKey \([^)]{1,200}\)=)\(.*?\)(?= already| is not| is still|\s*$)",
    "Failing row": r"(Failing row contains )\(.*\)",
    "Duplicate entry": r"(Duplicate entry )'.{0,1000}?'(?= for key)",
    "IDENTIFIED BY": r"(IDENTIFIED BY )'[^']*'",
    "invalid input": r"(invalid input (?:syntax for|value for) [^:\n]{1,60}: )\".*?\"",
}


def clean_statement(text: str) -> str:
    """A statement with question marks for all literals. A text that is not SQL stays, but for Redis's passwords."""
    if compiled(BEGIN).match(text):
        return shape(text, numbers=True)
    return compiled(REDIS).sub(r"\1 ?", text, count=1) if compiled(REDIS).match(text) else text


def shape(text: str, *, numbers: bool) -> str:
    """The statement without its literals; numbers stay if `numbers` is False."""
    if "\\'" in text:  # the database decides if this ends a literal, so all up to the last quote goes
        first, last = text.index("'"), text.rindex("'")
        text = f"{text[:first]}?{text[last + 1 :]}"
    text = compiled(LITERAL).sub(lambda found: "?" if numbers or "'" in found[0] or "$" in found[0] else found[0], text)
    if '"' in text:
        text = compiled(OPERAND).sub(r"\1\2?", text)
        text = compiled(LISTED).sub(lambda found: compiled(DOUBLE).sub("?", found[0]), text)
    return text


def clean_quoted_statements(text: str) -> str:
    """The text of an error, without the literals of quoted statements and without quoted rows."""
    lower = text.lower()
    if not any(word in lower for word in ("select", "insert", "update", "delete", "merge", "replace", "[sql: ")):
        return without_rows(text)
    out: list[str] = []
    at = look = 0
    last_from = lower.rfind("from")
    while (found := compiled(WITHIN).search(text, look)) is not None:
        look = found.end()
        if found[0].strip().lower() == "select" and last_from < look and not text.endswith("[SQL: ", 0, found.start()):
            continue  # a word of a sentence
        end = end_of(text, found.start(), found.end())
        out += (text[at : found.start()], shape(text[found.start() : end], numbers=False))
        at = look = end
    return without_rows("".join([*out, text[at:]]))


def without_rows(text: str) -> str:
    """A driver's message without quoted parameters and rows."""
    for mark, pattern in ROWS.items():
        if mark in text:
            text = compiled(pattern).sub(rf"\1{REDACTED}", text)
    return text


def end_of(text: str, start: int, after: int) -> int:
    """The end of a statement: at its closing quote, or before the text that a driver appends."""
    quote = text[start - 1 : start]
    if quote and quote in "\"'`":
        end = text.find(quote, after)
        while end > 0 and text[end - 1] == "\\":
            end = text.find(quote, end + 1)
        if end > 0 and (quote == '"' or text[end + 1 : end + 2] in ("", ")", ",", "]", "\n", ".", ":", ";", "}")):
            return end
    found = compiled(STOP).search(text, after)
    return found.start() if found else len(text)
