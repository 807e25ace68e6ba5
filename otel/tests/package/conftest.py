"""A wheel of this tree, and environments that it is installed into, each made once a session."""

import os
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
UV = Path(sys.executable).with_name("uv")


@dataclass(frozen=True)
class Built:
    """What `make wheel` leaves in dist/."""

    wheel: Path
    sdist: Path


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel and what one extra brings."""

    bin: Path
    home: Path

    def run(self, *command: str, cwd: Path, limit_s: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, as a person does whose environment is active."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "VIRTUAL"))
        }
        env = {**kept, "HOME": str(self.home), "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}"}
        program = [str(self.bin / command[0]), *command[1:]]
        return subprocess.run(program, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=limit_s)


def build(source: Path, folder: Path) -> Built:
    """Build both archives of a source tree, without the network."""
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return Built(next(folder.glob("*.whl")), next(folder.glob("*.tar.gz")))


def install(folder: Path, wanted: str) -> Installed:
    """A new environment in `folder / "venv"` with one requirement."""
    venv.create(folder / "venv", with_pip=False)
    programs = folder / "venv" / "bin"
    command = [str(UV), "pip", "install", "--quiet", "--python", str(programs / "python"), wanted]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        if os.environ.get("CI"):
            pytest.fail(done.stderr)
        pytest.skip(f"the package index does not answer: {done.stderr.strip()[-200:]}")
    home = folder / "home"
    home.mkdir()
    return Installed(programs, home)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The archives, in a folder whose name has a space."""
    return build(ROOT, tmp_path_factory.mktemp("dist of this tree"))


@pytest.fixture(scope="session")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Installed]:
    """The wheel with an extra (`local`; empty for none) in an environment of its own."""
    made: dict[str, Installed] = {}

    def installed(extra: str) -> Installed:
        if extra not in made:
            folder = tmp_path_factory.mktemp("an environment")
            made[extra] = install(folder, f"{built.wheel}[{extra}]" if extra else str(built.wheel))
        return made[extra]

    return installed
