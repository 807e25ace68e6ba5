"""A text while its rules read it: the parts that they yield, and the clock between their steps."""

from __future__ import annotations

import re
import sys
from bisect import bisect
from collections.abc import Callable, Iterator

from lambda_latency.redaction.names import compiled

Span = tuple[int, int, str]
"""A part of a text, by start and end, and what replaces it."""


class OutOfTimeError(Exception):
    """The time is over; the text is read up to `position`."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class Reading:
    """A text with what its rules need: `clean` for decoded parts, `depth` of encodings around it, the known secrets."""

    __slots__ = ("_clean", "_publics", "_sources", "depth", "ids", "is_over", "lower", "secrets", "text")

    def __init__(
        self,
        text: str,
        secrets: tuple[str, ...],
        clean: Callable[[str, int], str],
        is_over: Callable[[], bool],
        *,
        depth: int = 0,
        ids: bool = False,
    ) -> None:
        self.text, self.secrets, self.depth, self.ids = text, secrets, depth, ids
        self.lower = text.replace("\u0130", "i").lower()  # the one letter that has two in lower case
        self._clean, self.is_over = clean, is_over
        self._sources: list[tuple[int, int]] | None = None
        self._publics: list[tuple[int, int]] | None = None

    def of(self, text: str) -> Reading:
        """Return the reading of another form of the text."""
        return Reading(text, self.secrets, self._clean, self.is_over, depth=self.depth, ids=self.ids)

    def inner(self, text: str) -> str:
        """Return a decoded part without credentials."""
        return self._clean(text, self.depth + 1)

    def check(self, position: int) -> None:
        """Raise `OutOfTimeError` when the time is over. A rule calls it at each step."""
        if self.is_over():
            raise OutOfTimeError(position)

    def matches(self, pattern: str) -> Iterator[re.Match[str]]:
        """Yield the matches of an expression; each is a step."""
        is_over = self.is_over
        for match in compiled(pattern).finditer(self.text):
            if is_over():
                raise OutOfTimeError(match.start())
            yield match

    def matches_in_lower_case(self, pattern: str) -> Iterator[re.Match[str]]:
        """Yield the matches in the lower-case text, which has the same length: faster than an expression's flag."""
        is_over = self.is_over
        for match in compiled(pattern).finditer(self.lower):
            if is_over():
                raise OutOfTimeError(match.start())
            yield match

    def is_public(self, position: int) -> bool:
        """Whether a position is in a part that is random and no secret, such as a picture. They are found once."""
        if self._publics is None:
            self._publics = []
            if any(map(self.lower.__contains__, PUBLIC_MARKS)):
                self._publics = [match.span() for match in compiled(PUBLIC).finditer(self.text)]
        return is_within(self._publics, position)

    def sources(self) -> list[tuple[int, int]]:
        """Return start and end of the source lines of stacks. They are found once."""
        if self._sources is None:
            self._sources = source_lines(self.text)
        return self._sources

    def is_source(self, position: int) -> bool:
        """Whether a position is in a source line of a stack."""
        return is_within(self.sources(), position)

    def source_end(self, position: int) -> int:
        """Return the end of the source line at a position."""
        end = self.text.find("\n", position)
        return end if end >= 0 else len(self.text)


def is_within(parts: list[tuple[int, int]], position: int) -> bool:
    """Whether a position is in one of the parts, which are in order."""
    index = bisect(parts, (position, sys.maxsize))
    return index > 0 and position < parts[index - 1][1]


# Pictures, certificates, public keys, digests, ids in AWS's answers, borders of a form's parts.
PUBLIC = (
    r"(?i:data:(?:image|audio|video|font)/[\w.+-]{1,40};base64,)[\w+/=]+|"
    r"-----BEGIN (?:[A-Z]{2,9} )?(?:CERTIFICATE|PUBLIC KEY)-----[\w+/=\\\s]+-----END|"
    r"\bssh-(?:rsa|ed25519|dss) [\w+/=]+|\b(?:sha|SHA)(?:1|256|384|512)[-:][\w+/]{27,86}={0,2}|"
    r"\b(?i:x-amz-id-2|x-amz-cf-id|hostid|receipt ?handle)\W{1,6}[\w+/=-]{20,}|\bboundary=[\w'+/-]{1,70}|"
    r"(?<![\w+/])(?:iVBORw0KGgo|/9j/4AAQ|R0lGODlh|JVBERi0x)[\w+/=]+"
)
PUBLIC_MARKS = (";base64,", "-----begin ", "ssh-", "sha", "x-amz-", "hostid", "boundary=", "receipt", "ivborw0kggo",
                "/9j/4aaq", "r0lgodlh", "jvberi0x")  # fmt: skip
ENTRY = r"[ |+-]*File \""
# A stack's entry with its source and marks below it, on one line of a text.
ESCAPED_SOURCE = (
    r"(File \\{0,8}\"(?:(?!\\{0,8}\")[^\n]){1,500}\\{0,8}\", line \d{1,9}(?:, in [^\\\n]{1,200})?)"
    r"(?:\\{1,8}n {4}[^\n]*?(?=\\{1,8}n|$))+"
)


def source_lines(text: str) -> list[tuple[int, int]]:
    """Return start and end of each source line of a stack in a text."""
    if 'File "' not in text:
        return []
    lines: list[tuple[int, int]] = []
    start, in_stack = 0, False
    for line in text.splitlines(keepends=True):
        is_entry = compiled(ENTRY).match(line) is not None
        is_indented = line.startswith(("    ", "  |")) and line.lstrip(" |+-").strip() != ""
        source = in_stack and not is_entry and is_indented
        if source:
            lines.append((start, start + len(line)))
        start, in_stack = start + len(line), is_entry or source
    return lines


def without_source(text: str) -> str:
    """Return a text whose stacks have no source lines. The line ends of a stack may be escaped, as in JSON."""
    out, copied = list[str](), 0
    for start, end in source_lines(text):
        out.append(text[copied:start])
        copied = end
    text = "".join([*out, text[copied:]])
    return compiled(ESCAPED_SOURCE).sub(r"\1", text) if "\\n" in text else text
