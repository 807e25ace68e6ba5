"""The owner's additions to redaction: attributes by name, and patterns of values."""

from __future__ import annotations

import re
from typing import NamedTuple

from lambda_latency.redaction.names import REDACTED

# A name, or an expression between slashes, in which a comma is no separator
PART = re.compile(r"[\s,]*(/.*?/(?=\s*(?:,|\Z))|[^,]+)", re.DOTALL)


class Chosen(NamedTuple):
    """Normalized names, patterns of names, patterns of values; `wrong` are the expressions that are not valid."""

    exact: frozenset[str] = frozenset()
    globs: tuple[re.Pattern[str], ...] = ()
    values: tuple[re.Pattern[str], ...] = ()
    wrong: tuple[str, ...] = ()

    def names(self, key: str) -> bool:
        """Whether an attribute is named, by its full name or by the part after the last dot."""
        name = normal(key)
        leaf = name.rpartition(".")[2]
        if name in self.exact or leaf in self.exact:
            return True
        return any(glob.match(name) or glob.match(leaf) for glob in self.globs)

    def clean(self, text: str) -> str:
        """Return the text with every match of a pattern replaced."""
        for pattern in self.values:
            text = pattern.sub(REDACTED, text)
        return text


def parse_chosen(text: str) -> Chosen:
    """Parse `none`, or a list with commas: names, names with `*`, and regular expressions between slashes.

    An expression that is not valid, or that matches the empty text, goes to `wrong`; the others apply.
    """
    exact, globs, values, wrong = set[str](), list[re.Pattern[str]](), list[re.Pattern[str]](), list[str]()
    for part in map(str.strip, PART.findall(text)):
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


def expression(text: str) -> re.Pattern[str] | None:
    """Compile an expression; None if it is not valid, or if it matches the empty text."""
    try:
        pattern = re.compile(text)
    except re.error:
        return None
    return None if pattern.search("") is not None else pattern


def normal(name: str) -> str:
    """Return a name as names are compared: in lower case, with underscores for dashes."""
    return name.strip().lower().replace("-", "_")
