"""The collector's files of this project, as far as they can be read without a collector."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from samcli.yamlhelper import yaml_parse

from lambda_latency.template import Collector, check_collector, read_collector
from tests.template.deployed import deploy

ROOT = Path(__file__).parents[3]


def production() -> Collector:
    """collector.yaml."""
    collector = read_collector(ROOT / "collector.yaml")
    assert isinstance(collector, Collector)
    return collector


def test_the_collector_starts_on_lambda_and_hears_the_functions() -> None:
    """collector.yaml has only parts and keys that ADOT's collector has, and listens where the template sends."""
    endpoint = deploy().variables("CreateOrder")["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]

    assert check_collector(production(), [endpoint]) == ()


def test_spans_come_in_by_otlp_and_go_out_to_x_ray() -> None:
    """One pipeline, of one receiver and one exporter."""
    collector = yaml_parse(production().text)

    assert collector["service"]["pipelines"] == {"traces": {"receivers": ["otlp"], "exporters": ["awsxray"]}}
    assert collector["exporters"]["awsxray"] | {"indexed_attributes": None} == {
        "region": "${env:AWS_REGION}",
        "request_timeout_seconds": 1,
        "max_retries": 1,
        "indexed_attributes": None,
    }


def test_requests_can_be_searched_for_by_what_matters_in_them() -> None:
    """The annotations of X-Ray, 50 at the most in a trace, and none that is a list, for those vanish."""
    assert sorted(production().indexed_attributes()) == [
        "aws.table_name",
        "error.type",
        "faas.coldstart",
        "faas.invocation_id",
        "http.method",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "http.status_code",
        "lambda.timeout",
        "peer.service",
        "retry_attempts",
        "rpc.method",
    ]


def test_another_exporter_takes_the_place_of_awsxray_and_nothing_else_changes() -> None:
    """The stand-in of the tests stands where awsxray stood, in its block and in the pipeline."""
    put = production().with_exporter("awsxray", "otlphttp/awsxray", '{endpoint: "http://127.0.0.1:1"}')

    expected = yaml_parse(production().text)
    expected["exporters"] = {"otlphttp/awsxray": {"endpoint": "http://127.0.0.1:1"}}
    expected["service"]["pipelines"]["traces"]["exporters"] = ["otlphttp/awsxray"]
    assert yaml_parse(put) == expected
    assert set(put.splitlines()) - set(production().text.splitlines()) == {
        '  otlphttp/awsxray: {endpoint: "http://127.0.0.1:1"}',
        "      exporters: [otlphttp/awsxray]",
    }


def compose() -> list[str]:
    """Docker's compose: the plugin, or the older program of the distributions."""
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0:
        return [docker, "compose"]
    older = shutil.which("docker-compose")
    if older is None:
        pytest.skip("neither `docker compose` nor docker-compose is here")
    return [older]


def test_compose_accepts_its_file_and_mounts_the_file_that_ships(tmp_path: Path) -> None:
    """`docker compose config` with the viewer: AWS's image at the layer's version, with collector.yaml in it."""
    command = [*compose(), "--file", str(ROOT / "compose.yaml"), "--profile", "viewer", "config"]

    answer = subprocess.run(command, capture_output=True, check=False, cwd=tmp_path, text=True)

    assert answer.returncode == 0, answer.stderr
    services = yaml_parse(answer.stdout)["services"]
    assert sorted(services) == ["collector", "jaeger", "serve"]
    assert services["collector"]["image"].startswith("public.ecr.aws/aws-observability/aws-otel-collector:v0.43.")
    assert f"{ROOT / 'collector.yaml'}" in answer.stdout


def test_what_only_compose_adds_is_a_collector_file_too() -> None:
    """Lambda has no health_check, which is why it stands apart; nothing else in there is unknown."""
    added = read_collector(ROOT / "compose.collector.yaml")
    assert isinstance(added, Collector)

    found = [str(finding).partition(": ")[2] for finding in check_collector(added)]
    assert "extensions has 'health_check', unknown to ADOT on Lambda: known are sigv4auth" in found
    assert not [finding for finding in found if "health_check" not in finding and "pipeline" not in finding]
