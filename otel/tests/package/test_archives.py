"""What the wheel and the source distribution hold, and what they say about themselves."""

import email
import fnmatch
import importlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

from lambda_latency.cli.entry import parser
from lambda_latency.example import FILES
from tests.package.conftest import ROOT, Built, build

APP = "lambda_latency/example/app/"
LINK = re.compile(r'(?:\]\(|src="|srcset=")([^)"]+)')


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
    source = "https://github.com/OWNER/lambda-latency"
    links = LINK.findall(payload.decode())
    relative = LINK.findall((ROOT / "README.md").read_text())
    assert len(relative) > 25
    assert links == [
        link if "://" in link else f"{source}/{'raw' if link.endswith('.webp') else 'blob'}/main/{link}"
        for link in relative
    ]
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


ALARM, LAPTOP, COMMAND = (ROOT / "Dockerfile").read_text().split("\nFROM ")[1:]


STAGES = {"alarm": (ALARM, ""), "laptop": (LAPTOP, "[local]"), "command": (COMMAND, "[fetch]")}


@pytest.mark.parametrize(("stage", "extra"), STAGES.values(), ids=STAGES)
def test_an_image_has_the_wheel_with_its_extra(stage: str, extra: str, built: Built, tmp_path: Path) -> None:
    """The wheel that `make wheel` leaves is the one that is copied, and pip gets its path with the extra."""
    ((pattern, target),) = re.findall(r"^COPY (\S+) (\S+)$", stage, re.MULTILINE)
    assert fnmatch.fnmatch(f"dist/{built.wheel.name}", pattern)
    assert (ROOT / ".dockerignore").read_text().splitlines() == ["*", "!dist/*.whl"]
    (tmp_path / "wheel").mkdir()
    shutil.copy(built.wheel, tmp_path / "wheel")
    (command,) = re.findall(r"^RUN (.*)$", stage, re.MULTILINE)
    pip = tmp_path / "pip"
    pip.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$0.log"\n')
    pip.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    here = command.replace(target, f"{tmp_path}{target}").replace("rm -r /wheel", f"rm -r {tmp_path}/wheel")
    subprocess.run(["sh", "-c", here], env=env, check=True, timeout=20)
    wanted = f"{tmp_path}/wheel/{built.wheel.name}{extra}"
    assert (tmp_path / "pip.log").read_text().splitlines() == ["install", "--no-cache-dir", wanted]
    assert not (tmp_path / "wheel").exists()


def test_the_function_of_alarms_is_the_templates() -> None:
    """The handler and the Python of explain.yaml."""
    (command,) = re.findall(r"^CMD (.*)$", ALARM, re.MULTILINE)
    (handler,) = json.loads(command)
    template = yaml.load((ROOT / "explain.yaml").read_text(), yaml.BaseLoader)  # noqa: S506 - it makes texts only
    (properties,) = (
        one["Properties"] for one in template["Resources"].values() if "Handler" in one.get("Properties", {})
    )
    assert handler == properties["Handler"]
    assert ALARM.startswith(f"public.ecr.aws/lambda/{properties['Runtime'].replace('python', 'python:')} AS alarm\n")
    module, _, name = handler.rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))


def test_the_service_serves_the_mounted_folder_with_the_commands_own_options() -> None:
    """Its image is that of the page's command, and its arguments are arguments of `serve`."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    serve = services["services"]["serve"]
    page = (ROOT / "docs/how-to/container.md").read_text(encoding="utf-8")
    assert f"docker build --target laptop --tag {serve['image']} ." in page
    assert LAPTOP.startswith("python:3.13-slim AS laptop\n")
    assert "WORKDIR /work" in LAPTOP
    assert serve["volumes"][0] == "${APP:-.}:/work"
    assert serve["volumes"][1].partition(":")[0] in services["volumes"]
    assert serve["network_mode"] == "host"
    given = [one.replace("${TEMPLATE:-", "").replace("}", "") for one in serve["command"]]
    assert str(parser().parse_args(given).template) == "template.yaml"
