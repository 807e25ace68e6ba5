"""The owner's additions to redaction: attributes by name, and patterns of values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lambda_latency.runtime.coldstart.value import Value
from lambda_latency.runtime.redact.credentials import REDACTED

if TYPE_CHECKING:
    from collections.abc import Iterator


class Chosen(Value):
    """Normalized names, patterns of names, patterns of values; `wrong` are the expressions that are not valid."""

    exact: frozenset[str] = frozenset()
    globs: tuple[re.Pattern[str], ...] = ()
    values: tuple[re.Pattern[str], ...] = ()
    wrong: tuple[str, ...] = ()

    def names(self, key: str) -> bool:
        """Whether an attribute is named, by its full name or by the part after the last dot."""
        name = normal(key)
        last = name.rpartition(".")[2]
        if name in self.exact or last in self.exact:
            return True
        return any(glob.match(name) or glob.match(last) for glob in self.globs)

    def clean(self, text: str) -> str:
        """The text with every match of a pattern replaced."""
        for pattern in self.values:
            text = pattern.sub(REDACTED, text)
        return text


def chosen(text: str) -> Chosen:
    """Parses `none`, or a list with commas: names, names with `*`, and regular expressions between slashes.

    An expression that is not valid, or that matches the empty text, goes to `wrong`; the others apply.
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
    """The parts between commas. Commas between slashes belong to an expression."""
    rest = text
    while rest:
        rest = rest.lstrip(" ,")
        end = re.compile(r"/.*?/(?=\s*(?:,|\Z))" if rest.startswith("/") else r"[^,]*", re.DOTALL).match(rest)
        length = end.end() if end else len(rest)
        yield rest[:length].strip()
        rest = rest[length:]


def expression(text: str) -> re.Pattern[str] | None:
    """A compiled expression; None if it is not valid, or if it matches the empty text."""
    try:
        pattern = re.compile(text)
    except re.error:
        return None
    return None if pattern.search("") is not None else pattern


def normal(name: str) -> str:
    """A name in lower case, with underscores for dashes, as names are compared."""
    return name.strip().lower().replace("-", "_")
