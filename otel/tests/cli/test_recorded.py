"""`lambda-latency demo` where nothing can run: the recorded run of the wheel."""

import gzip
import re
import sys
from pathlib import Path

import pytest

from lab.recorded import MOST_BYTES, as_on_lambda
from lambda_latency.cli import main
from lambda_latency.cli.commands import demo
from lambda_latency.example import recorded_traces
from tests.disk import run_on_full_disk

HEAD = re.compile(
    r"Nothing runs here: this is a recorded run of the example, 150 requests of \d{4}-\d\d-\d\d\."
    r"( To run it here: .*\.)?\n\n"
)


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is there but what the command writes."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("arguments", [["--recorded"], []])
def test_the_recorded_run_has_a_verdict_and_a_page(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On request, and where the extra is missing; what ran is said first, then the cause."""
    monkeypatch.setattr(demo, "is_installed", lambda _: bool(arguments))
    assert main(["demo", *arguments]) == 0
    out, err = capsys.readouterr()
    head = HEAD.match(out)
    assert head is not None
    assert (err, "To run it here: pip install " in head[0]) == ("", not arguments)
    verdict = " ".join(out[head.end() :].split())
    assert re.match(r"\d+ of \d+ requests of POST /orders \(\d+ %\) wait for payments\.example\.com: ", verdict)
    assert "The cause is external." in verdict
    assert [path.name for path in Path().iterdir()] == ["out"]
    assert [path.name for path in Path("out").iterdir()] == ["report.html"]


def test_a_full_disk_costs_the_page_and_not_the_verdict() -> None:
    """The error comes last, with what to do."""
    done = run_on_full_disk([sys.executable, "-m", "lambda_latency", "demo", "--recorded"], 100)
    page = Path("out", "report.html")
    assert "The cause is external." in " ".join(done.stdout.split())
    assert f"Page: {page}" not in done.stdout
    assert (done.returncode, done.stderr) == (
        1,
        f"lambda-latency: {page} cannot be written: File too large\n  free space, or name a file on another disk\n",
    )


def test_a_file_in_the_place_of_the_folder_costs_the_page_and_not_the_verdict(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The error names the folder and the option."""
    Path("out").write_text("")
    assert main(["demo", "--recorded"]) == 1
    out, err = capsys.readouterr()
    assert "The cause is external." in " ".join(out.split())
    assert err == "lambda-latency: out cannot be written: File exists; choose another folder with --out\n"


@pytest.mark.parametrize(
    "arguments", [["--requests", "12"], ["--parameter", "Tracing=Off"], ["--template", "app.yaml"]]
)
def test_what_needs_a_run_is_not_answered_by_a_recorded_one(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the extra it is an error, which names what installs it."""
    monkeypatch.setattr(demo, "is_installed", lambda _: False)
    monkeypatch.setattr("lambda_latency.installing.is_installed", lambda _: False)
    with pytest.raises(SystemExit, match="1"):
        main(["demo", *arguments])
    out, err = capsys.readouterr()
    assert (out, err.startswith("lambda-latency: the local system needs the extra local: pip install")) == ("", True)


def test_the_recorded_run_is_small_and_of_no_machine() -> None:
    """The wheel has it; stacks have the paths of Lambda."""
    path, day = recorded_traces()
    assert path.stat().st_size <= MOST_BYTES
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", day)
    text = gzip.decompress(path.read_bytes()).decode()
    assert re.findall(r"/(?:home|root|tmp|Users)/", text) == []


def test_paths_of_a_machine_become_those_of_lambda() -> None:
    """Of the checkout, and of Python's own modules."""
    root = Path(__file__).parents[3]
    text = f'File "{root}/functions/table.py", File "/home/ada/.pyenv/versions/3.11.7/lib/python3.11/http/client.py"'
    expected = 'File "/var/task/functions/table.py", File "/var/lang/lib/python3.11/http/client.py"'
    assert as_on_lambda(text) == expected
