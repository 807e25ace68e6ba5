"""A text while its rules read it: the parts that they yield, and the clock between their steps."""

from __future__ import annotations

import re
import sys
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator

from lambda_latency.redaction.names import compiled

Span = tuple[int, int, str]
"""A part of a text, by start and end, and what replaces it."""

# Pictures, certificates, public keys, digests, ids in AWS's answers, borders of a form's parts: random, and no secret.
PUBLIC = (
    r"(?=[bdDhHiJrRsSxX/-])(?:(?i:data:(?:image|audio|video|font)/[\w.+-]{1,40};base64,)[\w+/=]+|"
    r"-----BEGIN (?:[A-Z]{2,9} )?(?:CERTIFICATE|PUBLIC KEY)-----[\w+/=\\\s]+-----END|"
    r"\bssh-(?:rsa|ed25519|dss) [\w+/=]+|\b(?:sha|SHA)(?:1|256|384|512)[-:][\w+/]{27,86}={0,2}|"
    r"\b(?i:x-amz-id-2|x-amz-cf-id|hostid|receipt ?handle)\W{1,6}[\w+/=-]{20,}|\bboundary=[\w'+/-]{1,70}|"
    r"(?<![\w+/])(?:iVBORw0KGgo|/9j/4AAQ|R0lGODlh|JVBERi0x)[\w+/=]+)"
)
# An entry of a stack with its lines of source and marks. Line ends may be escaped, and groups have a bar before each.
SOURCE = (
    r"(File \\{0,8}\"(?:(?!\\{0,8}\")[^\n]){1,500}\\{0,8}\", line \d{1,9}(?:, in [^\\\n]{1,200})?)"
    r"((?:\n(?:[ +]{0,40}\|)? {4,80}(?![ |+]|File \")[^\n]+|\\{1,8}n {4}[^\n]*?(?=\\{1,8}n|$))+)"
)
# Whether a letter is the first one of a word. It follows the letter, which `re` then finds in one loop.
B = r"(?<!\w.)"
DIGITS = r"\d+"


class Reading:
    """A text with what its rules need: the known secrets, the clock, and whether random values are ids.

    When the time is over, the text from `unread` on has not been read by each rule.
    """

    def __init__(self, text: str, secrets: tuple[str, ...], is_over: Callable[[], bool], *, ids: bool = False) -> None:
        self.text, self.secrets, self.is_over, self.ids = text, secrets, is_over, ids
        self.lower = text.replace("\u0130", "i").lower()  # the one letter that has two in lower case
        self.unread = len(text)
        self._matched: dict[str, list[tuple[int, int]]] = {}

    def matches(self, pattern: str, *, lower: bool = False) -> Iterator[re.Match[str]]:
        """Yield the matches of an expression until the time is over, by a look at the clock before each and before the
        expression is compiled, which takes as long as a thousand matches.

        `lower`: in the lower-case text, which has the same length; that is faster than an expression's flag.
        """
        if self.is_over():
            self.unread = 0
            return
        for match in compiled(pattern).finditer(self.lower if lower else self.text):
            if self.is_over():
                self.unread = min(self.unread, match.start())
                return
            yield match

    def overlaps(self, pattern: str, start: int, length: int = 1) -> bool:
        """Whether a match of an expression, or its last group, has any of the characters. They are found once."""
        if pattern not in self._matched:
            group = compiled(pattern).groups
            self._matched[pattern] = [match.span(group) for match in compiled(pattern).finditer(self.text)]
        parts = self._matched[pattern]
        index = bisect(parts, (start + length - 1, sys.maxsize))
        return index > 0 and start < parts[index - 1][1]


def end_of(pattern: str, text: str, start: int, longest: int = sys.maxsize) -> int:
    """Return the end of what matches at `start`, in the next `longest` characters: `start` itself if nothing does."""
    match = compiled(pattern).match(text, start, min(len(text), start + longest))
    return match.end() if match else start


def replaced(text: str, parts: Iterable[Span]) -> str:
    """Return a text with replacements for parts. Of two that overlap, all of both goes."""
    out, copied = list[str](), 0
    for start, end, replacement in sorted(parts, key=lambda part: (part[0], -part[1])):
        if start >= copied:
            out += (text[copied:start], replacement)
        copied = max(copied, end)
    return "".join([*out, text[copied:]])


def without_source(text: str) -> str:
    """Return a text whose stacks have no source lines."""
    return compiled(SOURCE).sub(r"\1", text)
