"""The settings of docs/how-to/backends.md are read as the page means them; delivery's own tests send with such ones."""

from urllib.parse import unquote

from lambda_latency.runtime.settings import Settings
from tests.docs.pages import page

ENDPOINT, HEADERS = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"


def test_each_row_has_an_address_and_one_header_with_its_key() -> None:
    """Without a warning; headers are decoded, and the path of traces is appended."""
    rows = page("how-to/backends.md").table(f"backend | `{ENDPOINT}` | `{HEADERS}` | documented by")
    assert [row[0] for row in rows] == ["Honeycomb", "Grafana Cloud", "New Relic", "Dynatrace", "Elastic Cloud"]
    for _, endpoint, headers, _ in rows:
        settings = Settings.read({ENDPOINT: endpoint.strip("`"), HEADERS: headers.strip("`")})
        name, _, value = headers.strip("`").partition("=")
        assert settings.warnings == ()
        assert settings.endpoint == f"{endpoint.strip('`')}/v1/traces"
        assert settings.headers is not None
        assert settings.headers.pairs == ((name.lower(), unquote(value)),)
        assert value.count("KEY") == 1
