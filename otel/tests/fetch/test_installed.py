"""The command as a person installs it: in an environment of its own, with the extra for X-Ray and without it."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.fetch.account import sdk_segments
from tests.fetch.conftest import ROOT, Start, environment, known_to
from tests.fetch.standin import trace_id
from tests.fetch.test_fetch import filled

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
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return sum(path.stat().st_size for path in files if "site-packages" in path.parts)


def test_with_the_extra_alone_x_ray_is_reported_on(start: Start, tmp_path: Path) -> None:
    """All that it needs comes with it: boto3, and 40 MB at most."""
    command = installed(tmp_path / "fetch", "[fetch]")
    xray = start(sdk_segments)
    filled(xray, 30, 3600)
    done = ran(command, environment(tmp_path, **known_to(xray)), "report", "--xray", "--format", "json")
    assert (done.returncode, done.stderr) == (4, "")  # CloudWatch, which counts requests, refuses
    assert json.loads(done.stdout)["requests"] == 30
    assert size(tmp_path / "fetch") < 40 * MEGABYTE


def test_the_command_alone_is_small_and_says_what_x_ray_needs(tmp_path: Path) -> None:
    """Under 14 MB; files are reported on, and X-Ray is a line with the remedy."""
    command = installed(tmp_path / "alone", "")
    traces = tmp_path / "traces.jsonl"
    segments = [{"Id": s["id"], "Document": json.dumps(s)} for s in sdk_segments(trace_id(1_795_600_000, 1), 1)]
    traces.write_text(json.dumps({"Id": trace_id(1_795_600_000, 1), "Segments": segments}) + "\n")
    env = environment(tmp_path)
    on_files = ran(command, env, "report", str(traces))
    assert (on_files.returncode, on_files.stderr) == (0, "")
    on_xray = ran(command, env, "report", "--xray")
    assert (on_xray.returncode, on_xray.stdout, on_xray.stderr) == (
        1,
        "",
        f"lambda-latency: boto3 is not installed, and fetching traces needs it\n  pip install '{ROOT}[fetch]'\n",
    )
    assert size(tmp_path / "alone") < 14 * MEGABYTE


def ran(command: Path, env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """The installed command, which finds nothing of this environment."""
    env = {name: value for name, value in env.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run(
        [command, *arguments], cwd=command.parent, env=env, capture_output=True, text=True, check=False, timeout=60
    )
