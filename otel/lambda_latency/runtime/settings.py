"""The runtime's environment variables: one table that both parses and documents them.

A wrong value never fails a request: the default applies, and one warning says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lambda_latency.runtime.coldstart.value import Value
from lambda_latency.runtime.libraries import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lambda_latency.runtime.redact.additions import Chosen

PREFIX = "LAMBDA_LATENCY_"


class Setting(Value):
    """A variable: its field, the values it accepts, its default as text, one line of documentation, its parser."""

    name: str
    field: str
    type: str
    default: str
    doc: str
    parse: Callable[[str], Any]


def whole(least: int, most: int) -> Callable[[str], int]:
    """A parser for whole numbers within bounds."""

    def parse(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise ValueError(text)
        return value

    return parse


def names(text: str) -> frozenset[str]:
    """Parses `all`, `none`, or a list with commas. Unknown names are kept for the warning."""
    given = frozenset(part.strip().lower() for part in text.split(",")) - {"", "none"}
    return (given - {"all"}) | NAMES if "all" in given else given


def propagators(text: str) -> tuple[str, ...]:
    """Parses a list of `xray`, `tracecontext` and `baggage`; returns it without `xray`, which always applies."""
    given = [part.strip().lower() for part in text.split(",")]
    if not set(given) <= {"xray", "xray-lambda", "tracecontext", "baggage"}:
        raise ValueError(text)
    return tuple(dict.fromkeys(name for name in given if not name.startswith("xray")))


def redacted(text: str) -> Chosen | None:
    """Parses `none`, or names and patterns; only these import their module."""
    if text.strip().lower() in ("", "none"):
        return None
    from lambda_latency.runtime.redact.additions import chosen

    return chosen(text)


def choice(*known: str) -> Callable[[str], str]:
    """A parser for one of some words."""

    def parse(text: str) -> str:
        value = text.strip().lower()
        if value not in known:
            raise ValueError(text)
        return value

    return parse


def yes(text: str) -> bool:
    """Parses true or false."""
    return choice("true", "false")(text) == "true"


def switch(text: str) -> bool:
    """Parses a boolean of OpenTelemetry: everything but `true` is false."""
    return text.strip().lower() == "true"


def daemon(text: str) -> tuple[str, int]:
    """Parses `host:port`, or `tcp:host:port udp:host:port`, of which the UDP part counts."""
    parts = dict(part.split(":", 1) for part in text.split() if part.startswith(("tcp:", "udp:")))
    host, _, port = parts.get("udp", text.strip()).rpartition(":")
    if not host or not 0 < int(port) < 65536:
        raise ValueError(text)
    return host, int(port)


def url(text: str) -> str:
    """Parses an http or https URL with a host and a valid port."""
    parts = urlsplit(text.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError(text)
    return text.strip()


SETTINGS = (
    Setting(f"{PREFIX}HANDLER", "handler", "a handler", "",
            "The function's own handler. The wrapper writes it; nobody else has to.", str.strip),
    Setting(f"{PREFIX}INSTRUMENTATIONS", "libraries", "all, none, or names with commas between", "all",
            "The libraries whose calls become spans, each from its first import on.", names),
    Setting(f"{PREFIX}FIRST_FLUSH_MS", "first_flush_ms", "a whole number of milliseconds from 1 to 60000", "1000",
            "How long an environment's first delivery of spans may take.", whole(1, 60_000)),
    Setting(f"{PREFIX}FLUSH_MS", "flush_ms", "a whole number of milliseconds from 1 to 60000", "250",
            "How long every later delivery of spans may take.", whole(1, 60_000)),
    Setting(f"{PREFIX}BUFFERED_SPANS", "buffered_spans", "a whole number from 1 to 1000000", "2048",
            "How many ended spans may wait for delivery; beyond it the oldest are dropped.", whole(1, 1_000_000)),
    Setting(f"{PREFIX}BUFFERED_KB", "buffered_kb", "a whole number of kilobytes from 16 to 1000000", "4096",
            "How large they may be together.", whole(16, 1_000_000)),
    Setting(f"{PREFIX}EXPORT", "export", "collector, daemon or otlp", "collector",
            "Who gets them: a collector by OTLP/HTTP, Lambda's X-Ray daemon by UDP, or X-Ray's own OTLP endpoint.",
            choice("collector", "daemon", "otlp")),
    Setting(f"{PREFIX}REDACTED", "redacted", "none, or names and /patterns/ with commas between", "none",
            "Attributes by name (`*` stands for anything), and values by /pattern/, that never leave either.",
            redacted),
    Setting(f"{PREFIX}SOURCE_LINES", "source_lines", "true or false", "true",
            "Whether stacks have the text of source lines; with `false` they have file and line alone.", yes),
    Setting(f"{PREFIX}STAND_INS", "stand_ins", "true or false", "true",
            "Whether modules that OpenTelemetry imports and tracing never uses are left out of a cold start.", yes),
    Setting(f"{PREFIX}TRUST_HEADERS", "trust_headers", "true or false", "false",
            "Whether `traceparent` and `X-Amzn-Trace-Id` of an API's callers choose the trace and its sampling.", yes),
    Setting(f"{PREFIX}CONNECTIONS", "connections", "true or false", "true",
            "Whether the steps of a new connection (DNS, TCP, TLS) are spans below the call that opens it.", yes),
    Setting(f"{PREFIX}SIGALRM", "sigalrm", "true or false", "false",
            "Whether SIGALRM watches the deadline beside the thread: it sees into a runaway regular expression.", yes),
    Setting(f"{PREFIX}PROFILE_AFTER_MS", "profile_after_ms", "a whole number of milliseconds from 0 to 900000", "200",
            "After how long a request is sampled, for the lines of its own code that take long; 0: never.",
            whole(0, 900_000)),
    Setting(f"{PREFIX}XRAY_SDK", "xray_sdk", "own or bridge", "own",
            "bridge: `aws_xray_sdk` is the layer's, even where the function brings the X-Ray SDK itself.",
            choice("own", "bridge")),
)  # fmt: skip
"""The kit's own settings. Tests compare documentation, template and doctor with this table."""

SPARE = 4096  # characters beyond the limit that a text keeps until redaction, so that a token across the limit is whole
COUNT = "a whole number from 1 to 1000000"

STANDARD = (
    Setting("OTEL_SDK_DISABLED", "disabled", "true or false", "false",
            "true: the handler runs bare and OpenTelemetry is not even imported.", switch),
    Setting("OTEL_TRACES_EXPORTER", "exporter", "otlp or none", "otlp",
            "none: as OTEL_SDK_DISABLED=true, for spans that go nowhere are not worth making.", choice("otlp", "none")),
    Setting("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "traces_endpoint", "an http or https address", "",
            "Where spans go, used as it is.", url),
    Setting("OTEL_EXPORTER_OTLP_ENDPOINT", "endpoint", "an http or https address", "http://localhost:4318",
            "Where a collector is when the variable above is unset; /v1/traces is added.", url),
    Setting("AWS_XRAY_DAEMON_ADDRESS", "daemon", "an address such as 169.254.79.129:2000", "127.0.0.1:2000",
            "Where the X-Ray daemon is; Lambda sets it.", daemon),
    Setting("OTEL_PROPAGATORS", "propagators", "xray, and with commas tracecontext and baggage if wanted", "xray",
            "What is called gets X-Ray's header; `traceparent` and `baggage` too where they are named here.",
            propagators),
    Setting("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "value_length", COUNT, "4096",
            "How many characters a text on a span may have; what is longer is cut.", whole(1, 1_000_000)),
    Setting("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "attribute_count", COUNT, "128",
            "How many attributes a span may have.", whole(1, 1_000_000)),
    Setting("OTEL_SPAN_EVENT_COUNT_LIMIT", "event_count", COUNT, "128",
            "How many events a span may have.", whole(1, 1_000_000)),
)  # fmt: skip
"""The variables of OpenTelemetry that the runtime reads; the SDK and its instrumentations read others."""


class Settings(Value):
    """The values that apply, and the warnings about variables that are not valid."""

    handler: str
    libraries: frozenset[str]
    first_flush_ms: int
    flush_ms: int
    buffered_spans: int
    buffered_kb: int
    export: str
    redacted: Chosen | None
    source_lines: bool
    stand_ins: bool
    trust_headers: bool
    connections: bool
    sigalrm: bool
    profile_after_ms: int
    xray_sdk: str
    enabled: bool
    endpoint: str
    daemon: tuple[str, int]
    propagators: tuple[str, ...]
    value_length: int
    attribute_count: int
    event_count: int
    warnings: tuple[str, ...] = ()

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """Read all settings; never raises."""
        warnings: list[str] = []
        own, standard = values(SETTINGS, environ, warnings), values(STANDARD, environ, warnings)
        warnings += [
            f"{PREFIX}INSTRUMENTATIONS names {name!r}, which is not known{near(name, NAMES)}; left out"
            for name in sorted(own["libraries"] - NAMES)
        ]
        warnings += [
            f"{PREFIX}REDACTED: {one!r} is no regular expression that matches anything; left out"
            for one in (own["redacted"].wrong if own["redacted"] else ())
        ]
        known = {setting.name for setting in SETTINGS}
        warnings += [
            f"{name} is not a setting{near(name, known)}; ignored"
            for name in sorted(environ)
            if name.startswith(PREFIX) and name not in known
        ]
        own["libraries"] &= NAMES
        disabled, exporter = map(standard.pop, ("disabled", "exporter"))
        base = xray(environ) if own["export"] == "otlp" else standard["endpoint"].rstrip("/")
        standard["endpoint"] = standard.pop("traces_endpoint") or f"{base}/v1/traces"
        enabled = not disabled and exporter != "none"
        return cls(**own, **standard, enabled=enabled, warnings=tuple(warnings))


def values(table: Iterable[Setting], environ: Mapping[str, str], warnings: list[str]) -> dict[str, Any]:
    """The values of one table, by field. A value that is not valid is replaced by the default, with a warning."""
    found: dict[str, Any] = {}
    for setting in table:
        text = environ.get(setting.name, "")
        default = setting.parse(setting.default) if setting.default else ""
        try:
            found[setting.field] = setting.parse(text) if text.strip() else default
        except ValueError:
            # A URL may hold a password before its @ and a key after its ?: the warning leaves them out.
            seen = text.rpartition("@")[2].partition("?")[0] if setting.parse is url else text
            used = repr(setting.default) if setting.default else "what it is without"
            warnings.append(f"{setting.name} must be {setting.type}, got {seen!r}; using {used}")
            found[setting.field] = default
    return found


def xray(environ: Mapping[str, str]) -> str:
    """The URL of X-Ray in the function's region."""
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION", "")
    return f"https://xray.{region}.amazonaws.com" + ".cn" * region.startswith("cn-")


def near(name: str, known: Iterable[str]) -> str:
    """`, did you mean 'requests'?`, or an empty text."""
    import difflib  # only a warning needs it, and most functions have none

    matches = difflib.get_close_matches(name, list(known), n=1)
    return f", did you mean {matches[0]!r}?" if matches else ""
