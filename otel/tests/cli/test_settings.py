"""Settings of a project, and the options that beat them."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from lambda_latency.cli import main
from lambda_latency.cli.settings import ProjectSettings, read_settings
from lambda_latency.latency import read_gate
from lambda_latency.trace import Link, SpanKind, dump_line
from tests.trace.build import MS, node, spans_of, tree


def test_a_file_of_its_own_comes_before_the_projects(tmp_path: Path) -> None:
    """Where there is neither, nothing is set; a table of another tool's is nobody's."""
    assert read_settings(tmp_path) == ProjectSettings()
    project = tmp_path / "pyproject.toml"
    project.write_text('[tool.other]\ntheirs = ["x"]\n')
    assert read_settings(tmp_path) == ProjectSettings()
    project.write_text('[tool.lambda-latency]\ntheirs = ["bank*", "*.example.com"]\n')
    assert read_settings(tmp_path) == ProjectSettings(theirs=("bank*", "*.example.com"))
    (tmp_path / "lambda-latency.toml").write_text('ours = "db-*"\n')
    assert read_settings(tmp_path) == ProjectSettings(ours=("db-*",))


def test_the_file_of_the_nearest_parent_holds(tmp_path: Path) -> None:
    """It is named; a parent beyond the repository's root does not count."""
    below = tmp_path / "app" / "functions"
    below.mkdir(parents=True)
    (tmp_path / "lambda-latency.toml").write_text('ours = ["outer"]\n')
    noted: list[str] = []
    assert read_settings(below, note=noted.append) == ProjectSettings(ours=("outer",))
    assert noted == ["settings of ../../lambda-latency.toml"]
    (tmp_path / "app" / ".git").mkdir()
    assert read_settings(below, note=noted.append) == ProjectSettings()
    (tmp_path / "app" / "pyproject.toml").write_text('[tool.lambda-latency]\nours = ["app"]\n')
    assert read_settings(below, note=noted.append) == ProjectSettings(ours=("app",))
    assert noted[1:] == ["settings of ../pyproject.toml"]
    (below / "lambda-latency.toml").write_text('theirs = ["own"]\n')
    assert read_settings(below, note=noted.append) == ProjectSettings(theirs=("own",))
    assert len(noted) == 2


def test_variables_beat_the_file(tmp_path: Path) -> None:
    """Lists by commas, conditions by semicolons; an empty variable is none."""
    (tmp_path / "lambda-latency.toml").write_text('ours = ["a"]\ncolor = "never"\nslow = 900\n')
    environ = {
        "LAMBDA_LATENCY_OURS": "",
        "LAMBDA_LATENCY_THEIRS": "bank*, *.example.com",
        "LAMBDA_LATENCY_SLOW": "1.5",
        "LAMBDA_LATENCY_FAIL_IF": "p95 > 800ms; share(external, POST /orders) > 60%",
        "LAMBDA_LATENCY_FROM": "lambda",
        "LAMBDA_LATENCY_COLOR": "always",
        "LAMBDA_LATENCY_IGNORE": "layer-old",
        "LAMBDA_LATENCY_REGION": "eu-west-3",
    }
    gates = (read_gate("p95 > 800ms"), read_gate("share(external, POST /orders) > 60%"))
    assert read_settings(tmp_path, environ=environ) == ProjectSettings(
        ("a",), ("bank*", "*.example.com"), 1_500_000, gates, "lambda", "always", ("layer-old",), "eu-west-3"
    )


def test_a_variable_that_nothing_reads_is_named(tmp_path: Path) -> None:
    """With the one that was meant; those of the runtime and of the local system are read elsewhere."""
    noted: list[str] = []
    environ = {
        "LAMBDA_LATENCY_THIERS": "bank*",
        "LAMBDA_LATENCY_VERBOSE": "1",
        "LAMBDA_LATENCY_EXPORT": "daemon",
        "LAMBDA_LATENCY_LOCAL_HOSTS": "",
        "LAMBDA_X": "1",
    }
    assert read_settings(tmp_path, environ=environ, note=noted.append) == ProjectSettings()
    assert noted == [
        "nothing reads the variable LAMBDA_LATENCY_THIERS\n  did you mean LAMBDA_LATENCY_THEIRS?",
        "nothing reads the variable LAMBDA_LATENCY_VERBOSE\n  remove it",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("their = []", ": there is no setting 'their'; did you mean theirs?"),
        ("owner = []", ": there is no setting 'owner'; known are ours, theirs, slow, fail-if, from, color"),
        ('slow = "fast"', ": slow must be milliseconds, got 'fast'"),
        ("slow = -1", ": slow must be 0 or more, got -1"),
        ('from = "stage"', ": from must be one of root, lambda, got 'stage'"),
        ('fail-if = ["p95 > slow"]', ": fail-if 'p95 > slow' is not a condition: write"),
        ("color = true", ": color must be one of auto, always, never, got True"),
        ("ours = [7]", ': ours must be a list of patterns, such as ["payments*"], got [7]'),
        ("ours = ", " cannot be read: "),
    ],
)
def test_a_setting_that_is_wrong_is_named(tmp_path: Path, text: str, reason: str) -> None:
    """With the file, and what is right."""
    (tmp_path / "lambda-latency.toml").write_text(text)
    with pytest.raises(ValueError, match=re.escape(f"lambda-latency.toml{reason}")):
        read_settings(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("COLOR", "nevr", "color must be one of auto, always, never, got 'nevr'"),
        ("SLOW", "fast", "slow must be milliseconds, got 'fast'"),
        ("THEIRS", "a,,b", "theirs must be a list of patterns"),
        ("REGION", "paris", "region must be a region of AWS, such as eu-west-1"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, name: str, value: str, reason: str) -> None:
    """With the setting, and what is right."""
    variable = f"LAMBDA_LATENCY_{name}"
    with pytest.raises(ValueError, match=re.escape(f"{variable}: {reason}")):
        read_settings(tmp_path, environ={variable: value})


def test_options_beat_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those of the command line take the place of the file's."""
    monkeypatch.chdir(tmp_path)
    served = node("POST", 12, 58, kind=SpanKind.SERVER, resource={"service.name": "payment"})
    call = node("POST", 10, 60, served, kind=SpanKind.CLIENT, resource={"service.name": "shop"})
    trace = tree(node("GET /", 0, 62, call, kind=SpanKind.SERVER, resource={"service.name": "shop"}), unit=MS)
    (tmp_path / "t.jsonl").write_text(dump_line(trace.spans))

    def said(*options: str) -> str:
        assert main(["report", "t.jsonl", *options]) == 0
        return capsys.readouterr().out.replace("\u202f", " ").replace("\n", " ")

    assert "46 ms (74 %) for the code of payment, " in said()
    (tmp_path / "lambda-latency.toml").write_text('theirs = ["pay*"]\n')
    assert "50 ms (81 %) for payment, " in said()
    assert "46 ms (74 %) for the code of payment, " in said("--theirs", "bank")
    (tmp_path / "lambda-latency.toml").write_text("theirs = 7\n")
    assert main(["report", "t.jsonl"]) == 2


def test_linked_traces_are_one_request_where_that_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the option they are two."""
    sent = node("send", 20, 30, kind=SpanKind.PRODUCER, attributes={"messaging.destination.name": "orders"})
    sender = spans_of([node("POST /orders", 0, 40, sent, kind=SpanKind.SERVER)], unit=MS)
    work = node("work", 230, 240, kind=SpanKind.CONSUMER)
    [consumer] = spans_of([work], unit=MS, trace_id="6b05a667affeb9dbb0aa7f2b00000002", first=100)
    consumer = replace(consumer, links=(Link(sender[1].trace_id, sender[1].span_id),))
    path = tmp_path / "t.jsonl"
    path.write_text(dump_line([*sender, consumer]))
    assert main(["report", str(path)]) == 0
    assert "2 requests seen" in capsys.readouterr().out
    assert main(["report", str(path), "--follow-links"]) == 0
    text = capsys.readouterr().out.replace("\u202f", " ").replace("\n", " ")
    assert "One request, 240 ms: here is where it went. 200 ms (83 %) for the queue orders" in text
