"""The collector's files of this project, as far as they can be read without a collector."""

import shutil
import subprocess
from pathlib import Path

import pytest
from samcli.yamlhelper import yaml_parse

from lambda_latency.template import Collector, Diagnostic, check_collector, read_collector
from lambda_latency.template.collector import expanded
from tests.template.broken import BROKEN, GOOD
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

    findings = [str(finding).partition(": ")[2] for finding in check_collector(added)]
    assert "extensions has 'health_check', unknown to ADOT on Lambda: known are sigv4auth" in findings
    assert not [finding for finding in findings if "health_check" not in finding and "pipeline" not in finding]


ENDPOINT = "http://localhost:4318/v1/traces"


def read(folder: Path, text: str) -> Collector:
    """A file called broken.yaml, wherever it lies."""
    path = folder / "broken.yaml"
    path.write_text(text, encoding="utf-8")
    collector = read_collector(path)
    assert isinstance(collector, Collector)
    return Collector("broken.yaml", collector.text, collector.root)


def test_a_good_file_has_no_findings(tmp_path: Path) -> None:
    """The file that all the broken ones are made from is fine."""
    assert check_collector(read(tmp_path, GOOD), [ENDPOINT]) == ()


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_file_has_one_finding_with_line_value_and_remedy(fault: str, tmp_path: Path) -> None:
    """Whatever is broken in it, the message says where, what was seen and what to do."""
    text = GOOD
    for old, new in BROKEN[fault].changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)

    assert [str(finding) for finding in check_collector(read(tmp_path, text), [ENDPOINT])] == [BROKEN[fault].message]


def test_findings_come_in_the_order_of_their_lines(tmp_path: Path) -> None:
    """A file with several faults names them from top to bottom, each once."""
    text = GOOD.replace("${env:AWS_REGION}", "$AWS_REGION").replace("localhost:4318", "localhost:1")

    findings = check_collector(read(tmp_path, text), [ENDPOINT, ENDPOINT])

    assert [finding.line for finding in findings] == [5, 8]


@pytest.mark.parametrize(
    "endpoint",
    ["http://localhost:4318/v1/traces", "http://127.0.0.1:4318", "http://localhost:4317"],
)
def test_a_receiver_without_an_endpoint_listens_where_the_collector_does_by_itself(
    endpoint: str, tmp_path: Path
) -> None:
    """`http:` and `grpc:` alone mean localhost:4318 and localhost:4317."""
    text = GOOD.replace("      http:\n        endpoint: localhost:4318\n", "      http:\n      grpc:\n")

    assert check_collector(read(tmp_path, text), [endpoint]) == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("${env:OTLP_HOST:-localhost}:4318", "localhost:4318"),
        ("${HOST:-0.0.0.0}:4318", "0.0.0.0:4318"),
        ("${env:HOST}:4318", ":4318"),
        ("localhost:4318", "localhost:4318"),
    ],
)
def test_a_variable_stands_for_its_default(value: str, expected: str) -> None:
    """What a file says with its variables is known before anybody sets them."""
    assert expanded(value) == expected


@pytest.mark.parametrize("value", ["$$NAME", "cost: 5$", "${env:NAME}", "${NAME}", "$${env:NAME}", "a$$b"])
def test_only_a_naked_variable_is_a_finding(value: str, tmp_path: Path) -> None:
    """`$$` is how a dollar sign is written, and one before nothing that reads like a name is left alone."""
    text = GOOD.replace("[http.route]", f"[{value!r}]")

    assert check_collector(read(tmp_path, text), [ENDPOINT]) == ()


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("", Diagnostic("", 1, "the file is empty", "write a configuration, or name another file")),
        ("- otlp\n", Diagnostic("", 1, "a list", "write receivers:, exporters: and service:")),
        (
            "receivers:\n  otlp: [protocols\nexporters: {}\n",
            Diagnostic(
                "",
                3,
                "invalid YAML: expected ',' or ']', but got ':'",
                "correct the indentation, quotes or brackets there",
            ),
        ),
        (
            "exporters:\n  debug:\nservice:\nexporters:\n",
            Diagnostic("", 4, "'exporters' is defined twice", "keep one of them; the first is in line 1"),
        ),
        (
            "receivers:\n\totlp:\n",
            Diagnostic(
                "",
                2,
                "invalid YAML: found character '\\t' that cannot start any token",
                "correct the indentation, quotes or brackets there",
            ),
        ),
    ],
)
def test_what_is_no_collector_file_is_a_finding(text: str, finding: Diagnostic, tmp_path: Path) -> None:
    """A file that cannot be read says where and why, as any other finding."""
    path = tmp_path / "collector.yaml"
    path.write_text(text, encoding="utf-8")

    assert read_collector(path) == Diagnostic(str(path), finding.line, finding.problem, finding.todo)


def test_a_file_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    """Its name and the reason are enough to act on."""
    path = tmp_path / "nowhere.yaml"

    assert str(read_collector(path)) == f"{path}:1: cannot be read (No such file or directory): name a file that exists"


def test_bytes_that_are_no_text_are_a_finding(tmp_path: Path) -> None:
    """A file in another encoding is named with the byte."""
    path = tmp_path / "collector.yaml"
    path.write_bytes("# für".encode("latin-1"))

    assert str(read_collector(path)) == f"{path}:1: not UTF-8 text: byte 3: save it as UTF-8"
