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

from lambda_latency.runtime.redact.credentials import REDACTED, clean, known_values
from lambda_latency.runtime.redact.names import NO, SECRET, hinted, secrecy
from lambda_latency.runtime.settings import SPARE

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_latency.runtime.redact.additions import Chosen
    from lambda_latency.runtime.settings import Settings

BUDGET_S = 0.15  # of processor time for the texts of one delivery
LONG, CUT = 256, " [cut]"  # when the time is over, half of a text that has more characters stays, with this mark
CARD_LEAST = 10**12
LONGEST_WORD = 4096  # characters; a list with longer texts is no command line

ADDRESSES = frozenset(("http.url", "http.target", "url.full", "url.original"))
# Names of modules: some, such as `http.cookiejar`, look suspect; and numbers of the kit's own.
TRUSTED = frozenset(("lambda.init.imports", "lambda.profile.runs"))
# Keys that every cold start has, and that are not the name of a secret: to tell that of a name takes longer.
PLAIN = frozenset((
    "rpc.system", "rpc.service", "rpc.method", "cloud.region", "cloud.account.id", "cloud.resource_id", "url.path",
    "cloud.provider", "cloud.platform", "server.address", "server.port", "db.system", "db.operation", "net.peer.name",
    "net.peer.port", "peer.service", "aws.region", "aws.table_name", "aws.dynamodb.table_names", "retry_attempts",
    "http.url", "http.method", "http.route", "http.status_code", "http.request.method", "http.response.status_code",
    "user_agent.original", "faas.trigger", "faas.coldstart", "faas.invocation_id", "faas.name", "faas.version",
    "faas.instance", "faas.max_memory", "service.name", "telemetry.sdk.name", "telemetry.sdk.language",
    "telemetry.sdk.version", "lambda.connect.host", "aws.log.group.names", "aws.log.stream.names",
))  # fmt: skip
STATEMENTS = frozenset(("db.statement", "db.query.text"))
PARAMETERS = ("db.query.parameter.", "db.operation.parameter.", "db.statement.parameter", "db.query.parameters")
IDS = ("id", "ids", "etag", "digest", "hash", "checksum", "sha256", "md5", "version_id", "handle", "cursor")


class Redaction:
    """`chosen`: the names and patterns of the setting. `limit`: the most characters of a text. `source_lines`: whether
    stacks keep the text of source lines.
    """

    def __init__(self, chosen: Chosen | None, limit: int, *, source_lines: bool = True) -> None:
        self._source_lines = source_lines
        self._names: Callable[[str], bool] = chosen.names if chosen is not None else lambda _: False
        self._without_patterns: Callable[[str], str] = chosen.clean if chosen is not None else str
        self._limit = limit
        self._kind = lru_cache(maxsize=1024)(self._kind_of)
        self._known: tuple[str, ...] = ()
        self._end_s = self._processor_end_s = inf
        self.has_cut = False

    @classmethod
    def of(cls, settings: Settings) -> Redaction:
        """The redaction of these settings."""
        return cls(settings.redacted, settings.value_length, source_lines=settings.source_lines)

    def limit_time(self, seconds: float) -> None:
        """Limit the time of all that follows, to some seconds and to a budget of this thread's processor time. Longer
        texts are cut from then on, which sets `has_cut`.
        """
        self._end_s, self._processor_end_s = monotonic() + seconds, thread_time() + BUDGET_S
        self.has_cut = False

    def renewed(self) -> bool:
        """Read the secrets of the environment anew; returns whether they have changed, so that no cached part holds."""
        known = known_values()
        changed, self._known = known != self._known, known
        return changed

    def text(self, text: str) -> str:
        """A text of unknown content, such as a span's name."""
        if len(text) > LONG and self._is_over():
            return self.text(text[:LONG])[: LONG // 2] + CUT
        if not self._source_lines and "File " in text:
            from lambda_latency.runtime.redact.pairs import without_source

            text = without_source(text)
        return self._without_patterns(clean(text, self._known))

    def message(self, text: str) -> str:
        """The message of a status, cut to the limit."""
        return self._cut(self.text(text), len(text))

    def value(self, key: str, value: object) -> object:
        """The value of an attribute, its texts cut to the limit."""
        if key in TRUSTED:
            return value
        kind = self._kind(key)
        if kind == "secret":
            return value if value == "" or isinstance(value, bool) else REDACTED
        if isinstance(value, str):
            if len(value) > LONG and self._is_over():
                return self._text_of(kind, value[:LONG])[: LONG // 2] + CUT
            return self._cut(self._text_of(kind, value), len(value))
        if isinstance(value, tuple):
            return tuple([self.value(key, one) for one in self._list(value)])
        return self._other(key, kind, value)

    def _is_over(self) -> bool:
        """Whether the time is over."""
        if thread_time() < self._processor_end_s and monotonic() < self._end_s:
            return False
        self.has_cut = True
        return True

    def _other(self, key: str, kind: str, value: object) -> object:
        if isinstance(value, bool):
            return value
        if isinstance(value, int):
            return self.text(str(value)) if value >= CARD_LEAST and self.text(str(value)) == REDACTED else value
        if isinstance(value, bytes):
            text = value.decode("latin-1")
            return value if self._text_of(kind, text) == text else REDACTED
        if isinstance(value, Mapping):
            return {name: self.value(name if self._kind(str(name)) != "text" else key, one)
                    for name, one in value.items()}  # fmt: skip
        if isinstance(value, Sequence):
            return tuple([self.value(key, one) for one in self._list(value)])
        return value

    def _list(self, given: Sequence[object]) -> Sequence[object]:
        """A list without the values that are secret by the texts before them."""
        if len(given) < 2 or not all(isinstance(one, str) and len(one) <= LONGEST_WORD for one in given):
            return given
        texts = [one for one in given if isinstance(one, str)]
        if not hinted(f" {' '.join(texts)}"):
            return given
        from lambda_latency.runtime.redact.arguments import clean_list

        return clean_list(texts)

    def _kind_of(self, key: str) -> str:
        """How to redact the value of an attribute, by its key: secret, address, statement, perhaps, id or text."""
        level = NO if key in PLAIN else secrecy(key)
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
        if kind == "text":
            return self.text(text)
        if kind == "id" and is_uuid(text) and not any(value in text for value in self._known):
            return self._without_patterns(text)  # such as Lambda's id of each request, which no cache has
        if kind == "id":
            return self._without_patterns(clean(text, self._known, ids=True))
        if kind == "perhaps":
            from lambda_latency.runtime.redact.values import opaque

            return REDACTED if opaque(text) else self.text(text)
        if kind == "address" and "@" not in text:
            return self.text(text.partition("?")[0].partition("#")[0])
        if kind == "address":
            from lambda_latency.runtime.redact.addresses import without_query

            return self.text(without_query(text))
        from lambda_latency.runtime.redact.statements import clean_statement

        return self.text(clean_statement(text))

    def _cut(self, text: str, had: int) -> str:
        """The text cut to the limit. `had` is its first length, which tells whether the SDK may have cut a token."""
        if had >= self._limit + SPARE:
            text = text[: max(0, len(text) - SPARE)]
        return text[: self._limit]


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID. The general search for credentials would take ten times as long."""
    return len(text) == 36 and text[8:24:5] == "----" and not text.strip("0123456789abcdefABCDEF-")
