"""`python -m lab layers`: what names a layer agrees with the table, and what does not is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lab import layers
from lambda_latency.adopt.wording import Wanted, adot_numbers
from lambda_latency.adot import PYTHON
from tests.docs.pages import ROOT


def test_template_docs_locks_and_runtime_agree_with_the_table() -> None:
    """`python -m lab layers --write` makes those that are written."""
    assert list(layers.disagreements()) == []


NAMED = {
    "template.yaml": ("TEMPLATE", r'(us-east-1: \{ Number: ")29'),
    "otel/lambda_latency/example/starter/template.yaml": ("STARTER", r'(us-east-1: \{ Number: ")29'),
    "docs/how-to/adopt.md": ("SNIPPETS", r"(us-east-1:\d{12}:layer:\w+:)29"),
    "docs/reference/layers.md": ("TABLE", r"(us-east-1 \| \d+ \| 22 \| 28 \| )29"),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_file_with_another_number_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """One number is changed in a copy of it."""
    attribute, pattern = NAMED[name]
    text, count = re.subn(pattern, r"\g<1>31", (ROOT / name).read_text("utf-8"))
    assert count
    changed = tmp_path / name.rpartition("/")[2]
    changed.write_text(text, "utf-8")
    monkeypatch.setattr(layers, attribute, changed)
    monkeypatch.setattr(layers, "ROOT", tmp_path)
    monkeypatch.setattr(layers, "_of_the_runtime", lambda: iter(()))
    (tmp_path / "otel/lambda_latency/adopt").mkdir(parents=True)
    (tmp_path / "otel/lambda_latency/adopt/packages.txt").touch()
    others = {"TEMPLATE", "STARTER", "SNIPPETS", "TABLE"} - {attribute}
    for other in others:
        copy = tmp_path / f"{other}.copy"
        copy.write_bytes(getattr(layers, other).read_bytes())
        monkeypatch.setattr(layers, other, copy)
    assert list(layers.disagreements()) == [f"{changed.name} differs: python -m lab layers --write"]


def test_a_lock_or_a_bundle_of_another_release_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with both versions."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "own.in").write_text("aws-opentelemetry-distro==0.19.0\n")
    bundled = "otel/lambda_latency/adopt/packages.txt"
    (tmp_path / bundled).parent.mkdir(parents=True)
    (tmp_path / bundled).write_text("opentelemetry-sdk==1.42.1 \\\n    --hash=sha256:0\n")
    monkeypatch.setattr(layers, "ROOT", tmp_path)
    monkeypatch.setattr(layers, "written", lambda: iter(()))
    monkeypatch.setattr(layers, "_of_the_runtime", lambda: iter(()))
    newest = PYTHON.releases[-1]
    assert list(layers.disagreements()) == [
        f"requirements/own.in pins ADOT 0.19.0, the newest of the table is {newest.version}",
        f"{bundled} has opentelemetry-sdk 1.42.1, ADOT {newest.version} {newest.packages['opentelemetry-sdk']}",
    ]


def test_adopt_reads_the_table() -> None:
    """Numbers are of one release, also for several regions."""
    assert adot_numbers(Wanted(regions=("eu-west-1",))) == {"eu-west-1": 26}
    assert adot_numbers(Wanted(regions=("ap-southeast-1",))) == {"ap-southeast-1": 28}
    both = Wanted(regions=("ap-southeast-1", "us-east-1"))
    assert adot_numbers(both) == {"ap-southeast-1": 25, "us-east-1": 29}
