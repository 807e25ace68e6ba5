"""What the wheel and the source distribution hold, and what they say about themselves."""

from __future__ import annotations

import email
import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

from lambda_latency.example import FILES
from tests.package.conftest import ROOT, build

if TYPE_CHECKING:
    from pathlib import Path

    from tests.package.conftest import Built

APP = "lambda_latency/example/app/"


def test_the_wheel_holds_the_kit_and_the_example_and_nothing_else(built: Built) -> None:
    """Every file of the package's folder but the sources of the page's bundle; the example's files byte for byte."""
    with zipfile.ZipFile(built.wheel) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        app = {name.removeprefix(APP): wheel.read(name) for name in names if name.startswith(APP)}
    assert {name.split("/")[0] for name in names} == {"lambda_latency"}
    kit = ROOT / "otel" / "lambda_latency"
    files = [path for path in _files(kit) if not path.is_relative_to(kit / "page" / "source")]
    package = {str(path.relative_to(ROOT / "otel")) for path in files}
    assert names - {APP + name for name in app} == package
    there = [file for name in FILES for file in _files(ROOT / name)]
    assert app == {str(file.relative_to(ROOT)): file.read_bytes() for file in there}


def test_the_metadata_say_licence_description_and_purpose(built: Built) -> None:
    """An SPDX expression, the licence's file, the README; no address and no author is invented."""
    with zipfile.ZipFile(built.wheel) as wheel:
        (name,) = [one for one in wheel.namelist() if one.endswith(".dist-info/METADATA")]
        metadata = email.message_from_bytes(wheel.read(name))
        licence = wheel.read(name.replace("METADATA", "licenses/LICENSE")).decode()
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["License-File"] == "LICENSE"
    assert licence.split("\n", 3)[1].strip() == "Apache License"
    assert "END OF TERMS AND CONDITIONS" in licence
    assert metadata["Author"] == "the lambda-latency authors"
    urls = [one.partition(",")[0] for one in metadata.get_all("Project-URL", [])]
    assert sorted(urls) == ["Changelog", "Documentation", "Homepage", "Issues", "Source"]
    assert metadata["Description-Content-Type"] == "text/markdown"
    payload = metadata.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().strip() == (ROOT / "README.md").read_text().strip()
    assert {"lambda", "latency", "x-ray"} <= set(metadata["Keywords"].split(","))
    assert {"Typing :: Typed", "Framework :: Pytest"} <= set(metadata.get_all("Classifier") or [])


def test_the_source_distribution_builds_the_same_wheel(built: Built, tmp_path: Path) -> None:
    """Without git and without anything that is not in it."""
    with tarfile.open(fileobj=io.BytesIO(built.sdist.read_bytes())) as sdist:
        sdist.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    again = build(source, tmp_path / "again")
    assert again.wheel.name == built.wheel.name
    with zipfile.ZipFile(again.wheel) as one, zipfile.ZipFile(built.wheel) as other:
        assert {info.filename: info.CRC for info in one.infolist()} == {
            info.filename: info.CRC for info in other.infolist()
        }


def _files(path: Path) -> list[Path]:
    found = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return [one for one in found if "__pycache__" not in one.parts]
