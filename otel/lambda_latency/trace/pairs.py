"""The attributes of a span as bytes: what tells them from others that rules would judge otherwise, not decoded.

Most attributes of most spans were seen before as they stand there, byte by byte, and most of the others differ from
such in one text alone: an id that no rule reads.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = [
    "LONG",
    "MOST",
    "MOST_LONG",
    "QUOTE",
    "Frame",
    "Pairs",
    "Seen",
    "are_texts",
    "before_path",
    "present",
    "whole",
]

BEGIN = b'{"key":"'  # of an attribute, as encoders without white space write it; in a text its quotes are escaped
TEXT = b'","value":{"stringValue":"'
INTEGER = b'","value":{"intValue":"'
QUOTE = ord('"')  # a number: asked of bytes with `in` it takes a tenth of the time that bytes take
SHORT = 300  # attributes of fewer bytes are worth to be remembered as a whole
MOST = 20_000
LONG, MOST_LONG = 4096, 2000  # longer ones are looked up last, and fewer of them are remembered
OFTEN = 64  # an attribute that had so many values that were not seen before is one with ids: they are not remembered
MOST_FRAMES = 16
MOST_TEXTS = 4  # that differ each time: more are more than one way of being alike


class Frame(NamedTuple):
    """What stands around a text that no rule reads, or around and `between` some, and the number of the attributes.

    It is the same whatever the texts say.
    """

    begin: bytes
    between: tuple[bytes, ...]
    end: bytes
    values: int

    def fits(self, text: bytes) -> bool:
        """Is one text all that stands in it, or as many as there should be?"""
        begin, between, end, _ = self
        if not (text.startswith(begin) and text.endswith(end) and len(text) >= len(begin) + len(end)):
            return False
        return are_texts(text[len(begin) : len(text) - len(end)], between)


def are_texts(inside: bytes, between: Iterable[bytes]) -> bool:
    """Is it one text, or are there several, with this between them, in what is known to be JSON?

    No backslash has to be looked for: were a quote that ends a text escaped, the next one would end it, and what comes
    then were no JSON.
    """
    at = 0
    for piece in between:
        first = inside.find(b'"', at)
        if first < 0 or not inside.startswith(piece, first):
            return False
        at = first + len(piece)
    return QUOTE not in inside[at:]


class Seen:
    """What stood around the texts that differ in the attributes of spans that are much alike."""

    __slots__ = ("frames",)

    def __init__(self) -> None:
        self.frames: Sequence[Frame] = ()


class Pairs:
    """Remembers attributes by their bytes; `how` reduces a value to what rules tell apart, by the attribute's name.

    `decode` takes those apart that are written in another way.
    """

    def __init__(
        self,
        how: Mapping[str, Callable[[bytes], object]],
        decode: Callable[[bytes], Iterable[tuple[str, bytes]]],
    ) -> None:
        self._how, self._decode = how, decode
        self._texts: dict[bytes, int] = {}
        self._longs: dict[bytes, int] = {}
        self._frames = 0
        self._kinds: dict[tuple[object, ...], int] = {}
        self._pairs: dict[bytes, int] = {b"[": 0, b"[]": 0}
        self._numbers: dict[object, int] = {}
        self._often: dict[bytes, int] = {}
        self._varied: set[bytes] = set()  # names with many values of which rules read none

    def frame(self, text: bytes, seen: Seen) -> Frame | None:
        """The first frame that some attributes fit in."""
        return next((frame for frame in seen.frames if frame.fits(text)), None)

    def values(self, text: bytes, seen: Seen) -> int:
        """A number, the same for attributes that rules cannot tell apart. `seen` learns what is around their ids."""
        values = self._texts.get(text) if len(text) < SHORT else None
        if values is not None:
            return values
        values = self._longs.get(text) if len(text) >= SHORT else None
        return self._taken_apart(text, seen) if values is None else values

    def _taken_apart(self, text: bytes, seen: Seen) -> int:
        found = text.split(BEGIN)
        if b"kvlistValue" in text or (found[0] != b"[" and text != b"[]"):
            return self._decoded(text)  # attributes in an attribute, or white space
        numbers = list(map(self._pairs.get, found))
        fresh = [at for at, number in enumerate(numbers) if number is None]
        for at in fresh:
            name = found[at][: found[at].find(b'"')]
            if b"\\" in name:
                return self._decoded(text)
            numbers[at] = self._pair(name, found[at])
        values = self._kinds.setdefault(tuple(numbers), len(self._kinds) + 1)
        if not fresh:
            if len(text) < SHORT:
                if len(self._texts) < MOST:
                    self._texts[text] = values
            elif len(text) < LONG and len(self._longs) < MOST_LONG:
                self._longs[text] = values
        elif len(fresh) <= MOST_TEXTS:
            self._frame(found, fresh, text, seen, values)
        return values

    def _pair(self, name: bytes, pair: bytes) -> int:
        """The number of an attribute that rules read, as its bytes stand there; 0 of any other."""
        if name in self._varied:
            return 0
        reduce = self._how.get(name.decode())
        number = 0
        if reduce is not None:
            reduced = (name, reduce(pair[len(name) :]))
            number = self._numbers.setdefault(reduced, len(self._numbers) + 1)
        often = self._often[name] = self._often.get(name, 0) + 1
        if often <= OFTEN:
            self._pairs[pair] = number
        elif reduce is None:
            self._varied.add(name)
        return number

    def _frame(self, found: list[bytes], fresh: list[int], text: bytes, seen: Seen, values: int) -> None:
        """Remember what stands around the texts that differ each time, if no rule reads those."""
        gaps: list[tuple[int, int]] = []
        for at in fresh:
            lead = self._lead(found[at])
            if lead is None:
                return
            begin = len(BEGIN.join(found[:at])) + len(BEGIN) + len(lead)
            end = text.index(b'"', begin)
            if b"\\" in text[begin:end]:
                return
            gaps.append((begin, end))
        if self._frames >= MOST or len(seen.frames) >= MOST_FRAMES:
            return
        self._frames += 1
        begin, end = gaps[0][0], gaps[-1][1]
        between = tuple([text[first:after] for (_, first), (after, _) in pairwise(gaps)])
        seen.frames = (*seen.frames, Frame(text[:begin], between, text[end:], values))

    def _lead(self, pair: bytes) -> bytes | None:
        """An attribute up to where it differs each time, if it had many values and rules read none of the rest."""
        name = pair[: pair.find(b'"')]
        reduce = self._how.get(name.decode())
        if name not in self._varied and self._often.get(name, 0) <= OFTEN:
            return None
        if reduce is before_path:
            parts = pair.split(b"/", 3)
            lead = b"/".join([*parts[:3], b""])
            text = lead[len(name) + len(TEXT) :]
            fits = len(parts) == 4 and pair.startswith(name + TEXT) and b'"' not in text and b"\\" not in text
            return lead if fits and b"/" not in name else None
        if name not in self._varied and reduce is not present:
            return None
        return next((name + mark for mark in (TEXT, INTEGER) if pair.startswith(name + mark)), None)

    def _decoded(self, text: bytes) -> int:
        how = self._how
        values = tuple((name, how[name](value)) for name, value in self._decode(text) if name in how)
        return self._kinds.setdefault(values, len(self._kinds) + 1)


def whole(value: bytes) -> object:
    """All of it."""
    return value


def present(_: bytes) -> object:
    """Only that it is there."""
    return None


def before_path(value: bytes) -> object:
    """An address up to the third slash: its host is in there, its ids are not."""
    return tuple(value.split(b"/", 3)[:3])
