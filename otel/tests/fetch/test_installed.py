"""The command as a person installs it: in an environment of its own, with the extra for X-Ray and without it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fetch.account import sdk_segments
from tests.fetch.conftest import ROOT, environment
from tests.fetch.standin import KNOWN, trace_id

if TYPE_CHECKING:
    from tests.fetch.conftest import Start

UV = Path(sys.executable).with_name("uv")
MEGABYTE = 1024 * 1024


def installed(folder: Path, extra: str) -> Path:
    """An environment with nothing in it but the command, built from this tree, and what it needs."""
    venv.create(folder, with_pip=False)
    command = [str(UV), "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), f"{ROOT}{extra}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        if os.environ.get("CI"):
            pytest.fail(done.stderr)
        pytest.skip(f"the package index does not answer: {done.stderr.strip()[-200:]}")
    return folder / "bin" / "lambda-latency"


def size(folder: Path) -> int:
    """Of the packages in bytes, without bytecode, which is Python's own business."""
    files = [one for one in folder.rglob("*") if one.is_file() and "__pycache__" not in one.parts]
    return sum(one.stat().st_size for one in files if "site-packages" in one.parts)


def test_with_the_extra_alone_x_ray_is_reported_on(start: Start, tmp_path: Path) -> None:
    """All that it needs comes with it: boto3, and 40 MB at most."""
    command = installed(tmp_path / "fetch", "[fetch]")
    xray = start(sdk_segments)
    now = int(time.time())
    for number in range(30):
        xray.put(now - 60 - number, trace_id(now - 60 - number, number))
    env = environment(tmp_path, AWS_ACCESS_KEY_ID=KNOWN, AWS_SECRET_ACCESS_KEY="x", AWS_REGION="us-east-1")
    asked = [str(command), "report", "--xray", "--json", "-", "--endpoint-url", xray.url]
    done = subprocess.run(asked, cwd=tmp_path, env=_alone(env), capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["requests"] == 30
    assert size(tmp_path / "fetch") < 40 * MEGABYTE


def test_the_command_alone_is_small_and_says_what_x_ray_needs(tmp_path: Path) -> None:
    """Under 14 MB; files are reported on, and X-Ray is a line with the remedy."""
    command = installed(tmp_path / "alone", "")
    traces = tmp_path / "traces.jsonl"
    segments = [{"Id": one["id"], "Document": json.dumps(one)} for one in sdk_segments(trace_id(1_795_600_000, 1), 1)]
    traces.write_text(json.dumps({"Id": trace_id(1_795_600_000, 1), "Segments": segments}) + "\n")
    env = _alone(environment(tmp_path))
    on_files = subprocess.run(
        [str(command), "report", str(traces)], env=env, capture_output=True, text=True, check=False
    )
    assert (on_files.returncode, on_files.stderr) == (0, "")
    on_xray = subprocess.run([str(command), "report", "--xray"], env=env, capture_output=True, text=True, check=False)
    assert (on_xray.returncode, on_xray.stdout, on_xray.stderr) == (
        1,
        "",
        f"lambda-latency: boto3 is not installed, and fetching traces needs it\n  pip install '{ROOT}[fetch]'\n",
    )
    assert size(tmp_path / "alone") < 14 * MEGABYTE


def _alone(env: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
