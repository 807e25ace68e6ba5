"""The Dockerfile, without Docker: what its instructions name is there, and its installations work."""

from __future__ import annotations

import fnmatch
import importlib
import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from lambda_latency.cli.entry import parser
from tests.package.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.package.conftest import Built

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
