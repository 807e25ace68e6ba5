"""The real collector at 0.117, and this project's files in it."""

import subprocess
import sys
from pathlib import Path

import pytest

from lambda_latency.local.errors import LocalError, UsageError
from lambda_latency.local.processes import Processes
from lambda_latency.local.spans.collector import CollectorChoice, RunningCollector, choose_collector
from lambda_latency.template import Collector, read_collector
from tests.collector.conftest import ROOT, validate
from tests.template.broken import BROKEN, GOOD

STAND_IN = '{endpoint: "http://127.0.0.1:1"}'


def with_stand_in(path: Path) -> str:
    """A collector file without awsxray, which cannot be built here."""
    collector = read_collector(path)
    assert isinstance(collector, Collector)
    return collector.with_exporter("awsxray", "otlphttp/awsxray", STAND_IN)


def test_it_is_the_version_that_the_layer_holds(program: Path) -> None:
    """0.117, the collector of ADOT 0.43."""
    answer = subprocess.run([program, "--version"], capture_output=True, check=True, text=True)

    assert answer.stdout.strip() == "otelcol version 0.117.0"


def test_it_accepts_the_file_that_ships(program: Path, tmp_path: Path) -> None:
    """collector.yaml with the stand-in in awsxray's place, on Lambda as in a container."""
    config = tmp_path / "collector.yaml"
    config.write_text(with_stand_in(ROOT / "collector.yaml"), encoding="utf-8")

    assert validate(program, config) == (0, "")
    assert validate(program, config, OTLP_HOST="0.0.0.0") == (0, "")


# Of what the check finds, that which a collector of core parts can find too; the rest is about awsxray.
REFUSED = {
    "a processor": 'unknown type: "batch"',
    "a processor in a pipeline": 'references processor "decouple" which is not configured',
    "a key of another protocol": "has invalid keys: https",
    "a pipeline with an exporter that is not there": 'references exporter "debug" which is not configured',
    "a section that nobody knows": "has invalid keys: extension",
    "an extension that is not there": 'references extension "health_check" which is not configured',
    "a signal that nobody knows": 'unknown signal "trace"',
    "a pipeline without an end": "must have at least one exporter",
    "nothing that carries spans": "service must have at least one pipeline",
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_refuses_what_the_check_finds(program: Path, what: str, tmp_path: Path) -> None:
    """The check's findings are no opinions: with these the collector does not start."""
    text = GOOD
    for old, new in BROKEN[what].changes.items():
        text = text.replace(old, new)
    config = tmp_path / "broken.yaml"
    config.write_text(text, encoding="utf-8")
    config.write_text(with_stand_in(config), encoding="utf-8")

    status, words = validate(program, config)

    assert status == 1
    assert REFUSED[what] in words


def test_a_naked_variable_passes_and_is_not_replaced(program: Path, tmp_path: Path) -> None:
    """Why the check is needed for it: the collector itself takes the text as it stands."""
    config = tmp_path / "naked.yaml"
    config.write_text(with_stand_in(ROOT / "collector.yaml").replace(STAND_IN, '{endpoint: "http://$HOST:1"}'))

    assert validate(program, config, HOST="127.0.0.1") == (0, "")


def test_a_list_in_a_variable_is_a_list(program: Path, tmp_path: Path) -> None:
    """compose.collector.yaml takes the names of the exporters from one."""
    config = tmp_path / "list.yaml"
    config.write_text(
        with_stand_in(ROOT / "collector.yaml").replace("exporters: [otlphttp/awsxray]", "exporters: ${env:EXPORTERS}")
    )

    assert validate(program, config, EXPORTERS="[otlphttp/awsxray]") == (0, "")
    status, words = validate(program, config, EXPORTERS="[otlphttp/awsxray, otlp/viewer]")
    assert (status, 'references exporter "otlp/viewer" which is not configured' in words) == (1, True)


def test_a_collector_that_does_not_start_says_why(program: Path, tmp_path: Path) -> None:
    """Its own last words, and no process that stays behind."""
    (tmp_path / "collector.yaml").write_text(GOOD.replace("service:\n", "processors:\n  batch:\nservice:\n"))
    with Processes() as processes, pytest.raises(LocalError, match='unknown type: "batch"'):
        RunningCollector(
            CollectorChoice("program", "", program),
            tmp_path,
            processes,
            spans_url="http://127.0.0.1:1",
            log=lambda _: None,
        )


def test_what_was_built_is_what_is_there(program: Path) -> None:
    """Asked for nothing, the demo takes the collector that `make collector` has built."""
    choice = choose_collector(None, ROOT)

    assert choice == CollectorChoice(
        "program", "Collector: build/collector/otelcol, with an OTLP exporter in place of awsxray.", program
    )


def test_none_is_none(tmp_path: Path) -> None:
    """Asked for none, or where there is none, spans go straight to the stores, and a sentence says so."""
    assert choose_collector("none", ROOT) == CollectorChoice(
        "none", "No collector (--collector none): spans went directly to the laptop's store."
    )


def test_where_nothing_is_there_a_sentence_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No program built, no Docker: the demo runs all the same. Only a checkout can build one."""
    monkeypatch.setenv("PATH", str(tmp_path))

    assert choose_collector(None, tmp_path) == CollectorChoice(
        "none", "No collector was found (--collector names one): spans went directly to the laptop's store."
    )
    source = tmp_path / "requirements" / "collector.yaml"
    source.parent.mkdir()
    source.touch()
    assert choose_collector(None, tmp_path) == CollectorChoice(
        "none", "No collector was found (make collector builds one): spans went directly to the laptop's store."
    )


def test_a_path_without_a_program_is_a_mistake(tmp_path: Path) -> None:
    """What was said, and what can be said."""
    with pytest.raises(UsageError) as error:
        choose_collector(str(tmp_path), ROOT)

    assert str(error.value) == (
        f"--collector {tmp_path} is not an executable program\n"
        "  use docker, none, or the path of a collector (make collector builds one)"
    )


def test_docker_that_is_not_there_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was asked for by name, so nothing else is taken in its place."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(UsageError, match="--collector docker: docker is not installed"):
        choose_collector("docker", ROOT)


def test_the_command_ends_with_the_status_of_a_usage_mistake() -> None:
    """Nothing is started for a collector that does not exist."""
    command = [sys.executable, "-m", "lambda_latency", "demo", "--collector", "/nowhere"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("lambda-latency: --collector /nowhere is not an executable program\n")
