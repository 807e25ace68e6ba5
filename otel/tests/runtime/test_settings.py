"""Settings never fail: a wrong one is replaced and named."""

import pytest

from lambda_latency.redaction import Chosen
from lambda_latency.runtime.libraries import NAMES
from lambda_latency.runtime.settings import SETTINGS, STANDARD, Setting, Settings


def test_an_empty_environment_gives_the_defaults() -> None:
    """Nothing has to be set."""
    assert Settings.read({}) == Settings(
        handler="",
        libraries=NAMES,
        first_flush_ms=1000,
        flush_ms=250,
        buffered_spans=2048,
        buffered_kb=4096,
        export="collector",
        redacted=None,
        source_lines=True,
        stand_ins=True,
        trust_headers=False,
        connections=True,
        profile_after_ms=200,
        xray_sdk="own",
        enabled=True,
        endpoint="http://localhost:4318/v1/traces",
        headers=None,
        compression="none",
        certificate="",
        daemon=("127.0.0.1", 2000),
        propagators=(),
        value_length=4096,
        attribute_count=128,
        event_count=128,
        warnings=(),
    )


MILLISECONDS = "a whole number of milliseconds from 1 to 60000"
ADDRESS = "an http or https address"
PROPAGATORS = "xray, and with commas tracecontext and baggage if wanted"


@pytest.mark.parametrize(
    ("name", "value", "must", "seen", "used"),
    [
        ("LAMBDA_LATENCY_FLUSH_MS", "fast", MILLISECONDS, "'fast'", "'250'"),
        ("LAMBDA_LATENCY_FLUSH_MS", "0", MILLISECONDS, "'0'", "'250'"),
        ("LAMBDA_LATENCY_FIRST_FLUSH_MS", "1.5", MILLISECONDS, "'1.5'", "'1000'"),
        ("LAMBDA_LATENCY_BUFFERED_SPANS", "-1", "a whole number from 1 to 1000000", "'-1'", "'2048'"),
        ("LAMBDA_LATENCY_BUFFERED_KB", "0", "a whole number of kilobytes from 16 to 1000000", "'0'", "'4096'"),
        ("LAMBDA_LATENCY_EXPORT", "udp", "collector, daemon or otlp", "'udp'", "'collector'"),
        ("LAMBDA_LATENCY_TRUST_HEADERS", "yes", "true or false", "'yes'", "'false'"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "otlp or none", "'zipkin'", "'otlp'"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "gzip, deflate or none", "'zstd'", "'none'"),
        ("OTEL_PROPAGATORS", "b3", PROPAGATORS, "'b3'", "'xray'"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "all", "a whole number from 1 to 1000000", "'all'", "'4096'"),
        ("AWS_XRAY_DAEMON_ADDRESS", "here", "an address such as 169.254.79.129:2000", "'here'", "'127.0.0.1:2000'"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "u:secret@c:4318?key=secret", ADDRESS, "'c:4318'", "'http://localhost:4318'"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://:9", ADDRESS, "'http://:9'", "what it is without"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c:x", ADDRESS, "'http://c:x'", "what it is without"),
    ],
)
def test_a_wrong_value_is_the_default_and_one_warning(name: str, value: str, must: str, seen: str, used: str) -> None:
    """The warning says which variable, what it must be, what was seen (no secret of an address) and what is used."""
    settings = Settings.read({name: value})
    assert settings.warnings == (f"{name} must be {must}, got {seen}; using {used}",)
    assert Settings(**{**vars(settings), "warnings": ()}) == Settings.read({})


def test_a_variable_that_is_no_setting_is_named() -> None:
    """With the one that was meant."""
    assert Settings.read({"LAMBDA_LATENCY_FLUSHMS": "9"}).warnings == (
        "LAMBDA_LATENCY_FLUSHMS is not a setting, did you mean 'LAMBDA_LATENCY_FLUSH_MS'?; ignored",
    )


@pytest.mark.parametrize(
    ("value", "libraries"),
    [
        ("all", NAMES),
        ("", NAMES),
        ("none", frozenset()),
        ("botocore, Requests", frozenset({"botocore", "requests"})),
    ],
)
def test_instrumentations_are_all_none_or_names(value: str, libraries: frozenset[str]) -> None:
    """Names may be written with spaces and in any case."""
    settings = Settings.read({"LAMBDA_LATENCY_INSTRUMENTATIONS": value})
    assert settings.libraries == libraries
    assert settings.warnings == ()


def test_an_unknown_library_is_left_out_and_its_neighbour_suggested() -> None:
    """A typo does not turn the others off."""
    settings = Settings.read({"LAMBDA_LATENCY_INSTRUMENTATIONS": "botocore,request"})
    assert settings.libraries == {"botocore"}
    assert settings.warnings == (
        "LAMBDA_LATENCY_INSTRUMENTATIONS names 'request', which is not known, did you mean 'requests'?; left out",
    )


@pytest.mark.parametrize(
    ("variables", "endpoint"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:1/"}, "http://c:1/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "https://c/base"}, "https://c/base/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:2/in"}, "http://t:2/in"),
        (
            {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:2/in", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:1"},
            "http://t:2/in",
        ),
    ],
)
def test_the_traces_endpoint_comes_before_the_general_one(variables: dict[str, str], endpoint: str) -> None:
    """As OpenTelemetry's specification of the exporter says."""
    assert Settings.read(variables).endpoint == endpoint


@pytest.mark.parametrize(
    ("setting", "address"),
    [
        ("169.254.79.129:2000", ("169.254.79.129", 2000)),
        ("tcp:10.0.0.1:2000 udp:10.0.0.2:2001", ("10.0.0.2", 2001)),
        ("udp:10.0.0.2:2001 tcp:10.0.0.1:2000", ("10.0.0.2", 2001)),
    ],
)
def test_the_daemons_address_has_two_forms(setting: str, address: tuple[str, int]) -> None:
    """Both are the X-Ray SDK's own."""
    assert Settings.read({"AWS_XRAY_DAEMON_ADDRESS": setting}).daemon == address


def test_redacted_names_are_compared_without_case_and_dashes() -> None:
    """As they are written on spans."""
    variables = {"LAMBDA_LATENCY_REDACTED": "Customer.Id, x-tenant"}
    assert Settings.read(variables).redacted == Chosen(frozenset({"customer.id", "x_tenant"}))


@pytest.mark.parametrize(
    "variables", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_SDK_DISABLED": "TRUE"}, {"OTEL_TRACES_EXPORTER": "none"}]
)
def test_opentelemetrys_own_switches_turn_the_runtime_off(variables: dict[str, str]) -> None:
    """Both, in any case."""
    assert not Settings.read(variables).enabled


@pytest.mark.parametrize("setting", [*SETTINGS, *STANDARD], ids=lambda setting: setting.name)
def test_a_setting_is_documented_in_one_line(setting: Setting) -> None:
    """The tables are the documentation."""
    assert setting.doc.endswith(".")
    assert "\n" not in setting.doc


@pytest.mark.parametrize(
    ("value", "missing"),
    [
        ("", set()),
        ("botocore", {"botocore"}),
        (" botocore ,requests", {"botocore", "requests"}),
        ("aiohttp-client,aio-pika", {"aiohttp", "aio_pika"}),
        ("grpc_aio_client", {"grpc"}),
        ("django,sklearn", set()),
        ("*", NAMES),
    ],
)
def test_instrumentations_that_opentelemetry_disables_are_left_out(value: str, missing: set[str]) -> None:
    """Its names differ from the kit's by dashes and endings; those of other libraries change nothing."""
    settings = Settings.read({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": value})
    assert NAMES - settings.libraries == missing
    assert settings.warnings == ()
    both = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": value, "LAMBDA_LATENCY_INSTRUMENTATIONS": "requests,redis"}
    assert Settings.read(both).libraries == {"requests", "redis"} - missing


@pytest.mark.parametrize("name", ["headers", "compression", "certificate"])
def test_a_setting_for_traces_comes_before_the_general_one(name: str) -> None:
    """An empty one counts as one that is not set."""
    general, of_traces = (f"OTEL_EXPORTER_OTLP_{part}{name.upper()}" for part in ("", "TRACES_"))
    values = {"headers": ("a=1", "b=2"), "compression": ("gzip", "deflate"), "certificate": ("/a.pem", "/b.pem")}
    value, value_of_traces = values[name]
    expected = [getattr(Settings.read({general: text}), name) for text in (value, value_of_traces)]
    assert expected[0] != expected[1]
    assert getattr(Settings.read({general: value, of_traces: value_of_traces}), name) == expected[1]
    assert getattr(Settings.read({general: value, of_traces: " "}), name) == expected[0]
