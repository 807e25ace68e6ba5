"""What a function's owner names beside what is known to be secret: attributes by name, and patterns of values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lambda_latency.runtime.credentials import REDACTED
from lambda_latency.runtime.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Chosen", "chosen"]


class Chosen(Value):
    """Names in small letters with underscores, patterns of such names, patterns of values; and what is no pattern."""

    exact: frozenset[str] = frozenset()
    globs: tuple[re.Pattern[str], ...] = ()
    values: tuple[re.Pattern[str], ...] = ()
    wrong: tuple[str, ...] = ()

    def names(self, key: str) -> bool:
        """Is this attribute named, in full or by its last part?"""
        name = normal(key)
        last = name.rpartition(".")[2]
        if name in self.exact or last in self.exact:
            return True
        return any(glob.match(name) or glob.match(last) for glob in self.globs)

    def clean(self, text: str) -> str:
        """A text without what the patterns match."""
        for pattern in self.values:
            text = pattern.sub(REDACTED, text)
        return text


def chosen(text: str) -> Chosen:
    """`none`, or with commas between: names, names with `*`, and regular expressions between slashes.

    An expression that is none, or matches the empty text, is left out alone: the others still hold.
    """
    exact, globs, values, wrong = set[str](), list[re.Pattern[str]](), list[re.Pattern[str]](), list[str]()
    for part in parts(text):
        if len(part) > 2 and part[0] == part[-1] == "/":
            pattern = expression(part[1:-1])
            if pattern is None:
                wrong.append(part)
            else:
                values.append(pattern)
        elif "*" in part:
            globs.append(re.compile(".*".join(map(re.escape, normal(part).split("*"))) + r"\Z"))
        else:
            exact.add(normal(part))
    return Chosen(frozenset(exact - {"", "none"}), tuple(globs), tuple(values), tuple(wrong))


def parts(text: str) -> Iterator[str]:
    """What is between the commas; those within slashes are part of an expression."""
    rest = text
    while rest:
        rest = rest.lstrip(" ,")
        end = re.compile(r"/.*?/(?=\s*(?:,|\Z))" if rest.startswith("/") else r"[^,]*", re.DOTALL).match(rest)
        length = end.end() if end else len(rest)
        yield rest[:length].strip()
        rest = rest[length:]


def expression(text: str) -> re.Pattern[str] | None:
    """None where it is none, or where it would be found between any two characters."""
    try:
        pattern = re.compile(text)
    except re.error:
        return None
    return None if pattern.search("") is not None else pattern


def normal(name: str) -> str:
    """A name as it is compared."""
    return name.strip().lower().replace("-", "_")
