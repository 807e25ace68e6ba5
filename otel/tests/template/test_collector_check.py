"""What is said of a collector file: line, value, remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_latency.template import Collector, Finding, check_collector, read_collector
from lambda_latency.template.collector import expanded
from tests.template.broken import BROKEN, GOOD

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


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_has_one_finding_with_line_value_and_remedy(what: str, tmp_path: Path) -> None:
    """Whatever is broken in it, the message says where, what was seen and what to do."""
    text = GOOD
    for old, new in BROKEN[what].changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)

    assert [str(finding) for finding in check_collector(read(tmp_path, text), [ENDPOINT])] == [BROKEN[what].message]


def test_findings_come_in_the_order_of_their_lines(tmp_path: Path) -> None:
    """A file with several faults names them from top to bottom, each once."""
    text = GOOD.replace("${env:AWS_REGION}", "$AWS_REGION").replace("localhost:4318", "localhost:1")

    found = check_collector(read(tmp_path, text), [ENDPOINT, ENDPOINT])

    assert [finding.line for finding in found] == [5, 8]


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
    ("value", "seen"),
    [
        ("${env:OTLP_HOST:-localhost}:4318", "localhost:4318"),
        ("${HOST:-0.0.0.0}:4318", "0.0.0.0:4318"),
        ("${env:HOST}:4318", ":4318"),
        ("localhost:4318", "localhost:4318"),
    ],
)
def test_a_variable_stands_for_its_default(value: str, seen: str) -> None:
    """What a file says with its variables is known before anybody sets them."""
    assert expanded(value) == seen


@pytest.mark.parametrize("value", ["$$NAME", "cost: 5$", "${env:NAME}", "${NAME}", "$${env:NAME}", "a$$b"])
def test_only_a_naked_variable_is_a_finding(value: str, tmp_path: Path) -> None:
    """`$$` is how a dollar sign is written, and one before nothing that reads like a name is left alone."""
    text = GOOD.replace("[http.route]", f"[{value!r}]")

    assert check_collector(read(tmp_path, text), [ENDPOINT]) == ()


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("", Finding("", 1, "the file is empty", "write a configuration, or name another file")),
        ("- otlp\n", Finding("", 1, "a list", "write receivers:, exporters: and service:")),
        (
            "receivers:\n  otlp: [protocols\nexporters: {}\n",
            Finding(
                "",
                3,
                "invalid YAML: expected ',' or ']', but got ':'",
                "correct the indentation, quotes or brackets there",
            ),
        ),
        (
            "exporters:\n  debug:\nservice:\nexporters:\n",
            Finding("", 4, "'exporters' is defined twice", "keep one of them; the first is in line 1"),
        ),
        (
            "receivers:\n\totlp:\n",
            Finding(
                "",
                2,
                "invalid YAML: found character '\\t' that cannot start any token",
                "correct the indentation, quotes or brackets there",
            ),
        ),
    ],
)
def test_what_is_no_collector_file_is_a_finding(text: str, finding: Finding, tmp_path: Path) -> None:
    """A file that cannot be read says where and why, as any other finding."""
    path = tmp_path / "collector.yaml"
    path.write_text(text, encoding="utf-8")

    assert read_collector(path) == Finding(str(path), finding.line, finding.what, finding.todo)


def test_a_file_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    """Its name and the reason are enough to act on."""
    path = tmp_path / "nowhere.yaml"

    assert str(read_collector(path)) == f"{path}:1: cannot be read (No such file or directory): name a file that exists"


def test_bytes_that_are_no_text_are_a_finding(tmp_path: Path) -> None:
    """A file in another encoding is named with the byte."""
    path = tmp_path / "collector.yaml"
    path.write_bytes("# für".encode("latin-1"))

    assert str(read_collector(path)) == f"{path}:1: not UTF-8 text: byte 3: save it as UTF-8"
