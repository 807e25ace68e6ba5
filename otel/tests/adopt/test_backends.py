"""Functions that send to a backend of their own: what names it stays, and no path to X-Ray is added beside it."""

from pathlib import Path
from typing import Any

import pytest
from samcli.yamlhelper import yaml_parse

from tests.adopt.apps import FUNCTION, HEAD, adopt, make_app

KEY = "hcaik_01secretsecret"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io"
HEADERS = f"OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team={KEY}"
SAYS = "says: that stays, and nothing for X-Ray's is added: remove the backend's variables if spans should go to X-Ray"


def sending(name: str, *variables: str) -> str:
    """A function with these variables."""
    lines = "".join(f"          {variable}\n" for variable in variables)
    return FUNCTION.format(name=name) + f"      Environment:\n        Variables:\n{lines}"


def written(folder: Path) -> dict[str, Any]:
    """The template, parsed."""
    parsed: dict[str, Any] = yaml_parse((folder / "template.yaml").read_text())
    return parsed


def variables_of(template: dict[str, Any], name: str) -> list[str]:
    """The names of a function's variables."""
    return list(template["Resources"][name]["Properties"]["Environment"]["Variables"])


@pytest.mark.parametrize("arguments", [(), ("--export", "collector"), ("--export", "otlp")], ids=" ".join)
def test_a_backends_variables_stay_and_nothing_is_added_for_xray(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """But layers and wrapper. What is printed has no value of a header."""
    make_app(tmp_path, HEAD + "Resources:\n" + sending("One", ENDPOINT, HEADERS))
    status, out, _ = adopt(tmp_path, "--write", *arguments)
    template = written(tmp_path)
    assert status == 0
    assert variables_of(template, "One") == [
        "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "AWS_LAMBDA_EXEC_WRAPPER",
    ]  # fmt: skip
    assert len(template["Resources"]["One"]["Properties"]["Layers"]) == 2
    assert "LambdaLatencyIsCollected" not in template["Conditions"]
    assert f"One: it sends spans where its OTEL_EXPORTER_OTLP_ENDPOINT {SAYS}" in out
    assert KEY not in out
    assert KEY in (tmp_path / "template.yaml").read_text()
    assert adopt(tmp_path, "--check", *arguments)[0] == 0


def test_other_functions_get_the_path_to_xray(tmp_path: Path) -> None:
    """Each function by its own variables."""
    make_app(tmp_path, HEAD + "Resources:\n" + sending("One", HEADERS) + sending("Two", "STAGE: dev"))
    out = adopt(tmp_path, "--write")[1]
    template = written(tmp_path)
    assert variables_of(template, "One") == ["OTEL_EXPORTER_OTLP_HEADERS", "AWS_LAMBDA_EXEC_WRAPPER"]
    assert "OPENTELEMETRY_COLLECTOR_CONFIG_URI" in variables_of(template, "Two")
    assert [len(template["Resources"][name]["Properties"]["Layers"]) for name in ("One", "Two")] == [2, 3]
    assert f"One: it sends spans where its OTEL_EXPORTER_OTLP_HEADERS {SAYS}" in out
    assert KEY not in out


def test_a_switch_leaves_a_backend_alone(tmp_path: Path) -> None:
    """Of a function that is traced already, whose address for traces adopting would write."""
    node = FUNCTION.format(name="Node").replace("python3.12", "nodejs22.x")  # else all are traced by Globals
    make_app(tmp_path, HEAD + "Resources:\n" + sending("One", "STAGE: dev") + sending("Two", "STAGE: dev") + node)
    adopt(tmp_path, "--write", "--export", "daemon")
    path = tmp_path / "template.yaml"
    begin, name, end = path.read_text().partition("  Two:")
    variables = "Variables:\n          OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: https://in.example/v1/traces\n"
    path.write_text(begin + name + end.replace("Variables:\n", variables, 1))
    untouched = written(tmp_path)["Resources"]["Two"]
    out = adopt(tmp_path, "--write", "--export", "collector", "--force")[1]
    assert written(tmp_path)["Resources"]["Two"] == untouched
    assert "OPENTELEMETRY_COLLECTOR_CONFIG_URI" in variables_of(written(tmp_path), "One")
    assert f"Two: it sends spans where its OTEL_EXPORTER_OTLP_TRACES_ENDPOINT {SAYS}" in out


def test_a_function_that_shares_globals_with_a_backend_is_not_switched(tmp_path: Path) -> None:
    """The daemon of Globals would be that of both."""
    make_app(tmp_path, HEAD + "Resources:\n" + sending("One", "STAGE: dev") + sending("Two", "STAGE: dev"))
    adopt(tmp_path, "--write")
    path = tmp_path / "template.yaml"
    path.write_text(path.read_text().replace("          STAGE: dev\n", f"          {HEADERS}\n", 1))
    text = path.read_text()
    out = adopt(tmp_path, "--write", "--export", "daemon", "--force")[1]
    assert path.read_text() == text
    assert "Two: it is not switched, for it shares Globals with a function that has a backend of its own" in out
