"""The runtime's environment variables: one table that both parses and documents them.

A wrong value never fails a request: the default applies, and one warning says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lambda_latency.runtime.coldstart.value import Frozen
from lambda_latency.runtime.libraries import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lambda_latency.redaction import Chosen
    from lambda_latency.runtime.delivery.headers import Headers

PREFIX = "LAMBDA_LATENCY_"


class Setting(Frozen):
    """A variable: its field, the values it accepts, its default as text, one line of documentation, its parser."""

    name: str
    field: str
    type: str
    default: str
    doc: str
    parse: Callable[[str], Any]


def whole(smallest: int, largest: int) -> Callable[[str], int]:
    """Return a parser for whole numbers within bounds."""

    def parse(text: str) -> int:
        value = int(text)
        if not smallest <= value <= largest:
            raise ValueError(text)
        return value

    return parse


def names(text: str) -> frozenset[str]:
    """Parse `all`, `none`, or a list with commas. Unknown names are retained for the warning."""
    listed = frozenset(part.strip().lower() for part in text.split(",")) - {"", "none"}
    return (listed - {"all"}) | NAMES if "all" in listed else listed


def propagators(text: str) -> tuple[str, ...]:
    """Parse a list of `xray`, `tracecontext` and `baggage`; returns it without `xray`, which always applies."""
    listed = [part.strip().lower() for part in text.split(",")]
    if not set(listed) <= {"xray", "xray-lambda", "tracecontext", "baggage"}:
        raise ValueError(text)
    return tuple(dict.fromkeys(name for name in listed if not name.startswith("xray")))


def redacted(text: str) -> Chosen | None:
    """Parse `none`, or names and patterns; only these import their module."""
    if text.strip().lower() in ("", "none"):
        return None
    from lambda_latency.redaction import parse_chosen

    return parse_chosen(text)


def headers(text: str) -> Headers | None:
    """Parse `name=value` with commas between; only these import their module."""
    from lambda_latency.runtime.delivery.headers import parse_headers

    return parse_headers(text)


def upstream_names(text: str) -> frozenset[str]:
    """Parse OpenTelemetry's names of instrumentations, or `*`; returns the names of these libraries here."""
    listed = [part.strip().replace("-", "_") for part in text.split(",")]
    if "*" in listed:
        return NAMES
    # As in aiohttp-client and grpc_aio_client
    return NAMES & {name.removesuffix("_client").removesuffix("_aio") for name in listed}


def choice(*words: str) -> Callable[[str], str]:
    """Return a parser for one of some words."""

    def parse(text: str) -> str:
        value = text.strip().lower()
        if value not in words:
            raise ValueError(text)
        return value

    return parse


def yes(text: str) -> bool:
    """Parse true or false."""
    return choice("true", "false")(text) == "true"


def switch(text: str) -> bool:
    """Parse a boolean of OpenTelemetry: everything but `true` is false."""
    return text.strip().lower() == "true"


def daemon(text: str) -> tuple[str, int]:
    """Parse `host:port`, or `tcp:host:port udp:host:port`, of which the UDP part counts."""
    parts = dict(part.split(":", 1) for part in text.split() if part.startswith(("tcp:", "udp:")))
    host, _, port = parts.get("udp", text.strip()).rpartition(":")
    if not host or not 0 < int(port) < 65536:
        raise ValueError(text)
    return host, int(port)


def url(text: str) -> str:
    """Parse an http or https URL with a host and a valid port."""
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
    Setting(f"{PREFIX}PROFILE_AFTER_MS", "profile_after_ms", "a whole number of milliseconds from 0 to 900000", "200",
            "After how long a request is sampled, for the lines of its own code that take long; 0: never.",
            whole(0, 900_000)),
    Setting(f"{PREFIX}XRAY_SDK", "xray_sdk", "own or bridge", "own",
            "bridge: `aws_xray_sdk` is the layer's, even where the function brings the X-Ray SDK itself.",
            choice("own", "bridge")),
)  # fmt: skip
"""The kit's own settings. Tests compare documentation, template and doctor with this table."""

# Characters beyond the limit that a text keeps until redaction, so that a token across the limit is whole
SPARE = 4096
COUNT = "a whole number from 1 to 1000000"
HEADERS = "name=value, percent-encoded, with commas between"
COMPRESSIONS = "gzip, deflate or none"
compression = choice("gzip", "deflate", "none")

STANDARD = (
    Setting("OTEL_SDK_DISABLED", "disabled", "true or false", "false",
            "true: the handler runs bare and OpenTelemetry is not even imported.", switch),
    Setting("OTEL_TRACES_EXPORTER", "exporter", "otlp or none", "otlp",
            "none: as OTEL_SDK_DISABLED=true, for spans that go nowhere are not worth making.", choice("otlp", "none")),
    Setting("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "traces_endpoint", "an http or https address", "",
            "Where spans go, used as it is.", url),
    Setting("OTEL_EXPORTER_OTLP_ENDPOINT", "endpoint", "an http or https address", "http://localhost:4318",
            "Where a collector is when the variable above is unset; /v1/traces is added.", url),
    Setting("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "traces_headers", HEADERS, "",
            "What the variable below is for, of requests with spans: this one comes first.", headers),
    Setting("OTEL_EXPORTER_OTLP_HEADERS", "headers", HEADERS, "",
            "Headers of each request to a backend, which no log line and no span has.", headers),
    Setting("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "traces_compression", COMPRESSIONS, "",
            "What the variable below is for, of requests with spans: this one comes first.", compression),
    Setting("OTEL_EXPORTER_OTLP_COMPRESSION", "compression", COMPRESSIONS, "none",
            "How requests to a collector or a backend are compressed.", compression),
    Setting("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "traces_certificate", "a file", "",
            "What the variable below is for, of requests with spans: this one comes first.", str.strip),
    Setting("OTEL_EXPORTER_OTLP_CERTIFICATE", "certificate", "a file", "",
            "The certificates that an https address is checked with, in place of the system's.", str.strip),
    Setting("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "off", "names with commas between, or *", "",
            "Libraries that are not traced, by OpenTelemetry's names; `*` stands for all.", upstream_names),
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

# Each with a variable for all signals, and one for traces that comes before it
OF_SIGNAL = ("headers", "compression", "certificate")


class Settings(Frozen):
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
    profile_after_ms: int
    xray_sdk: str
    enabled: bool
    endpoint: str
    headers: Headers | None
    compression: str
    certificate: str
    daemon: tuple[str, int]
    propagators: tuple[str, ...]
    value_length: int
    attribute_count: int
    event_count: int
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "Settings(...)"  # the values of headers are secrets

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """Read all settings; never raises."""
        warnings: list[str] = []
        kit, standard = values(SETTINGS, environ, warnings), values(STANDARD, environ, warnings)
        warnings += [
            f"{PREFIX}INSTRUMENTATIONS names {name!r}, which is not known{suggestion(name, NAMES)}; left out"
            for name in sorted(kit["libraries"] - NAMES)
        ]
        for name in OF_SIGNAL:
            standard[name] = standard.pop(f"traces_{name}") or standard[name]
        standard["headers"] = standard["headers"] or None
        if standard["headers"]:
            kit["redacted"] = redacted(",".join((environ.get(f"{PREFIX}REDACTED", ""), *standard["headers"].redacted)))
            warnings += standard["headers"].warnings
        warnings += [
            f"{PREFIX}REDACTED: {pattern!r} is no regular expression that matches anything; left out"
            for pattern in (kit["redacted"].wrong if kit["redacted"] else ())
        ]
        setting_names = {setting.name for setting in SETTINGS}
        warnings += [
            f"{name} is not a setting{suggestion(name, setting_names)}; ignored"
            for name in sorted(environ)
            if name.startswith(PREFIX) and name not in setting_names
        ]
        kit["libraries"] = kit["libraries"] & NAMES - (standard.pop("off") or frozenset())
        disabled, exporter = map(standard.pop, ("disabled", "exporter"))
        base = xray(environ) if kit["export"] == "otlp" else standard["endpoint"].rstrip("/")
        standard["endpoint"] = standard.pop("traces_endpoint") or f"{base}/v1/traces"
        enabled = not disabled and exporter != "none"
        return cls(**kit, **standard, enabled=enabled, warnings=tuple(warnings))


def values(table: Iterable[Setting], environ: Mapping[str, str], warnings: list[str]) -> dict[str, Any]:
    """Return the values of one table, by field. In place of a wrong value is the default, with a warning."""
    by_field: dict[str, Any] = {}
    for setting in table:
        text = environ.get(setting.name, "")
        default = setting.parse(setting.default) if setting.default else ""
        try:
            by_field[setting.field] = setting.parse(text) if text.strip() else default
        except ValueError:
            # A URL may hold a password before its @ and a key after its ?: the warning leaves them out.
            shown = text.rpartition("@")[2].partition("?")[0] if setting.parse is url else text
            used = repr(setting.default) if setting.default else "what it is without"
            warnings.append(f"{setting.name} must be {setting.type}, got {shown!r}; using {used}")
            by_field[setting.field] = default
    return by_field


def xray(environ: Mapping[str, str]) -> str:
    """Return the URL of X-Ray in the function's region."""
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION", "")
    return f"https://xray.{region}.amazonaws.com" + ".cn" * region.startswith("cn-")


def suggestion(name: str, candidates: Iterable[str]) -> str:
    """Return `, did you mean 'requests'?`, or an empty text."""
    import difflib  # only a warning needs it, and most functions have none

    matches = difflib.get_close_matches(name, list(candidates), n=1)
    return f", did you mean {matches[0]!r}?" if matches else ""
