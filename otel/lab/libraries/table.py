"""The table of the libraries, as it is printed and as the docs have it."""

from pathlib import Path
from typing import Any

from lab.libraries.case import Library
from lab.libraries.wrong import calls_of, failed, parts_of

DOCS = Path(__file__).parents[3] / "docs" / "reference" / "libraries.md"
HEAD = (
    "| Library | Run against | Spans of a call | Parts of a new connection | Bucket | Failures that a span tells |",
    "|---|---|---|---|---|---|",
)
AGAINST = {
    "": "a file",
    "HTTP": "an HTTP server of Python's",
    "Kafka": "librdkafka's own mock broker",
    "MongoDB": "a stub of its protocol",
    "moto": "moto",
    "search": "a stub of its protocol",
    "gRPC": "a server of grpcio",
    "Redis": "Redis 7",
    "PostgreSQL": "PostgreSQL 15",
    "MariaDB": "MariaDB 10.11",
    "RabbitMQ": "RabbitMQ 3.10",
}
FAILURES = {"error": "error", "timeout": "time-out", "refused": "refused"}


def row(case: Library, spans: dict[str, Any]) -> str:
    """A line of the table, by what was seen."""
    called = ", ".join(f"`{span['name'].replace(chr(10), ' ')}`" for span in calls_of(spans["call"]))
    opens = any(span["name"] == "connect" for span in spans["call"])
    parts = ", ".join(parts_of(spans["call"]))
    parts = f"`connect`: {parts or 'as a whole'}" if opens else parts or "none"
    failures = ", ".join(text for name, text in FAILURES.items() if failed(spans[name])) or "none"
    return f"| {case.name} | {AGAINST[case.server]} | {called} | {parts} | {case.bucket} | {failures} |"


def rows_of(text: str) -> list[str]:
    """The table's lines in the docs, without its head."""
    lines = text.splitlines()
    start = lines.index(HEAD[1]) + 1 if HEAD[1] in lines else len(lines)
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append(line)
    return rows


def with_rows(text: str, rows: dict[str, str]) -> str:
    """The same text with these lines by the library's name; those of other libraries stay."""
    old = {line.split("|")[1].strip(): line for line in rows_of(text)}
    lines = text.splitlines()
    start = lines.index(HEAD[1]) + 1
    return "\n".join([*lines[:start], *{**old, **rows}.values(), *lines[start + len(old) :]]) + "\n"
