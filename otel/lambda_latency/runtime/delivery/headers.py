"""The headers of `OTEL_EXPORTER_OTLP_HEADERS`, which most backends authenticate requests by.

Imported only if a function sets them. No message and no `repr` has a value.
https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from lambda_latency.runtime.coldstart.value import Frozen

NAME = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
# As in OpenTelemetry's SDK: a value with spaces is not percent-encoded
ENTRY = re.compile(rf"({NAME})[ \t]*=[ \t]*([!#-+\--:<-\[\]-~ ]*)")
# They delimit a request: the transport's own have to be right
FRAMING = ("connection", "content-length", "transfer-encoding")
# The length from which a word of a value is taken for a secret: a shorter one may be part of any text
LEAST = 8


class Headers(Frozen):
    """Pairs of names in lower case and values. `wrong`: the positions of the entries that are left out, from 1."""

    pairs: tuple[tuple[str, str], ...]
    encoded: str
    wrong: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return f"Headers({', '.join(self.names)})"

    @property
    def names(self) -> list[str]:
        """The names, in the order of the variable."""
        return [name for name, _ in self.pairs]

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Names and values as a request has them."""
        return [(name.title(), value) for name, value in self.pairs]

    @property
    def warnings(self) -> list[str]:
        """A line for each entry that is left out, without its text."""
        return [
            f"of the headers in OTEL_EXPORTER_OTLP_HEADERS, number {position} is no name=value that a request can "
            "have; left out"
            for position in self.wrong
        ]

    @property
    def redacted(self) -> list[str]:
        """The words of the values, decoded and as the variable has them, as patterns of `LAMBDA_LATENCY_REDACTED`."""
        decoded_words = " ".join([value for _, value in self.pairs]).split()
        raw_words = " ".join([entry.partition("=")[2] for entry in self.encoded.split(",")]).split()
        secrets = dict.fromkeys(word for word in (*raw_words, *decoded_words) if len(word) >= LEAST)
        return [f"/{re.escape(secret)}/" for secret in secrets]


def parse_headers(text: str) -> Headers:
    """Parse `name=value` with commas between. Of two entries with one name, the later one applies."""
    values: dict[str, str] = {}
    wrong = []
    for position, entry in enumerate(text.split(","), 1):
        match = ENTRY.fullmatch(entry.strip())
        name, value = (match[1].lower(), decoded(match[2])) if match else ("", "")
        if match and is_sendable(value) and name not in FRAMING:
            values[name] = value
        elif entry.strip():
            wrong.append(position)
    return Headers(tuple(values.items()), text, tuple(wrong))


def decoded(value: str) -> str:
    """Decode a percent-encoded value."""
    return value if " " in value.strip() else unquote(value).strip()


def is_sendable(value: str) -> bool:
    """Whether a header can have this value: no control characters, and none beyond Latin-1."""
    return all(" " <= character <= "\xff" and not "\x7f" <= character < "\xa0" for character in value)
