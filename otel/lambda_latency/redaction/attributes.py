"""Removes credentials from the parts of spans: values by their key, and credentials inside texts, before the cut.

The encoder passes each part here, after the response, so it does not matter who wrote an attribute or an exception's
message: an instrumentation, a library or the handler.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import inf
from time import monotonic, thread_time
from typing import TYPE_CHECKING

from lambda_latency.redaction.credentials import clean, is_function, known_values
from lambda_latency.redaction.names import NO, REDACTED, SECRET, UNREAD, hinted, is_uuid, secrecy

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_latency.redaction.additions import Chosen

BUDGET_S = 0.15  # of processor time for the texts of one delivery
SHORT = 128  # characters: a text that is not longer is also read when the time is over
SPARE = 4096  # characters beyond the limit that are read, so that a token across the limit is whole
CARD_LEAST = 10**12
LONGEST_WORD = 4096  # characters; a list with longer texts is no command line

ADDRESSES = frozenset(("http.url", "http.target", "url.full", "url.original"))
TRUSTED = "lambda.profile.runs"  # names of modules, of which some look suspect, and numbers of the kit's own
STATEMENTS = frozenset(("db.statement", "db.query.text"))
PARAMETERS = ("db.query.parameter.", "db.operation.parameter.", "db.statement.parameter", "db.query.parameters")
IDS = ("id", "ids", "etag", "digest", "hash", "checksum", "sha256", "md5", "version_id", "handle", "cursor")


class Redaction:
    """Redacts by the owner's names and patterns (`chosen`), with texts of `limit` characters at most.

    `spare`: characters beyond the limit that a text may have before redaction.
    """

    def __init__(self, chosen: Chosen | None, limit: int, *, spare: int = SPARE, source_lines: bool = True) -> None:
        self._source_lines = source_lines
        self._names: Callable[[str], bool] = chosen.names if chosen is not None else lambda _: False
        self._without_patterns: Callable[[str], str] = chosen.clean if chosen is not None else str
        self._limit, self._spare = limit, spare
        self._kind = lru_cache(maxsize=1024)(self._kind_of)
        self._secrets: tuple[str, ...] = ()
        self._end_s = self._processor_end_s = inf
        self._steps = 0
        self.has_cut = False

    def limit_time(self, seconds: float) -> None:
        """Limit the time of what follows, and its processor time. What is unread then is left out (`has_cut`)."""
        self._end_s, self._processor_end_s = monotonic() + seconds, thread_time() + BUDGET_S
        self.has_cut = False

    def renewed(self) -> bool:
        """Read the secrets of the environment anew; returns whether they have changed, so that no cached part holds."""
        secrets = known_values()
        changed, self._secrets = secrets != self._secrets, secrets
        return changed

    def text(self, text: str, *, ids: bool = False) -> str:
        """Redact a text of unknown content, such as a span's name; what there is no time for becomes `[unread]`."""
        if not self._source_lines and "File " in text:
            from lambda_latency.redaction.reading import without_source

            text = without_source(text)
        if len(text) <= SHORT:
            return self._without_patterns(clean(text, self._secrets, ids=ids))
        if self._is_over():
            return UNREAD
        return self._without_patterns(clean(text, self._secrets, ids=ids, is_over=self._is_over_at_step))

    def message(self, text: str) -> str:
        """Redact the message of a status, and cut it to the limit."""
        return self._cut(self.text(text[: self._limit + self._spare]), len(text))

    def value(self, key: str, value: object) -> object:
        """Redact the value of an attribute, and cut its texts to the limit."""
        if key == TRUSTED:
            return value
        kind = self._kind(key)
        if kind == "secret":
            return value if value == "" or isinstance(value, bool) else REDACTED
        if isinstance(value, str):
            return self._cut(self._text_of(kind, value[: self._limit + self._spare]), len(value))
        return self._other(key, kind, value)

    def _is_over_at_step(self) -> bool:
        """Whether the time is over. The processor's takes as long as ten steps: it is asked at each 128th."""
        self._steps = (self._steps + 1) % 128
        return (self._steps == 0 or monotonic() >= self._end_s) and self._is_over()

    def _is_over(self) -> bool:
        """Whether the time is over."""
        if thread_time() < self._processor_end_s and monotonic() < self._end_s:
            return False
        self.has_cut = True
        return True

    def _other(self, key: str, kind: str, value: object) -> object:
        if isinstance(value, int):
            return REDACTED if value >= CARD_LEAST and self.text(str(value)) == REDACTED else value
        if isinstance(value, bytes):
            text = value.decode("latin-1")
            return value if self._text_of(kind, text) == text else REDACTED
        if isinstance(value, (tuple, Sequence)):
            return tuple([self.value(key, member) for member in self._list(value)])
        if isinstance(value, Mapping):
            return {name: self._member(key, name, member) for name, member in value.items()}
        return value

    def _member(self, key: str, name: str, member: object) -> object:
        """Redact a member of a mapping by its name, or by the attribute's key if its name says nothing."""
        return self.value(name if self._kind(str(name)) != "text" else key, member)

    def _list(self, members: Sequence[object]) -> Sequence[object]:
        """Redact the members of a list that are secret by the texts before them."""
        if len(members) < 2:
            return members
        texts = [text for text in members if isinstance(text, str) and len(text) <= LONGEST_WORD]
        if len(texts) < len(members) or not hinted(f" {' '.join(texts)}"):
            return members
        from lambda_latency.redaction.forms import clean_list

        return clean_list(texts)

    def _kind_of(self, key: str) -> str:
        """Return how to redact an attribute's value, by its key: secret, address, statement, perhaps, id or text."""
        level = secrecy(key)
        if level == SECRET or self._names(key) or key.startswith(PARAMETERS):
            return "secret"
        if key in ADDRESSES:
            return "address"
        if key in STATEMENTS:
            return "statement"
        if level != NO:
            return "perhaps"
        return "id" if key.endswith(IDS) else "text"

    def _text_of(self, kind: str, text: str) -> str:
        if kind == "id" and (is_uuid(text) or is_function(text)) and not any(map(text.__contains__, self._secrets)):
            return self._without_patterns(text)  # Lambda's id of each request, which no cache has, and its function's
        if kind == "perhaps":
            from lambda_latency.redaction.shapes import opaque

            return REDACTED if opaque(text) else self.text(text)
        if kind == "address":
            if "@" in text:  # a password may have any character
                from lambda_latency.redaction.addresses import users
                from lambda_latency.redaction.reading import replaced

                text = replaced(text, users(text))
            text = text.partition("?")[0].partition("#")[0]
        elif kind == "statement":
            from lambda_latency.redaction.statements import clean_statement

            text = clean_statement(text)
        return self.text(text, ids=kind == "id")

    def _cut(self, text: str, length: int) -> str:
        """Cut the text to the limit. Its `length` before redaction shows whether the SDK may have cut a token."""
        if length >= self._limit + self._spare:
            text = text[: max(0, len(text) - self._spare)]
        return text[: self._limit]
