"""What `make build` makes, in a copy of the project, with the project's own tools."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COPIED = (
    "functions",
    "otel",
    "requirements",
    "Makefile",
    "collector.yaml",
    "observability.yaml",
    "pyproject.toml",
    "samconfig.toml",
    "template.yaml",
)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose functions are built: its root, with .aws-sam in it."""
    root = tmp_path_factory.mktemp("project")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, root / name)
    for name in (".venv", "build"):  # what is set up stays so, and the packages need not be fetched again
        (root / name).symlink_to(ROOT / name)
    made = subprocess.run(
        ["make", "build"], cwd=root, env={**os.environ, "MAKEFLAGS": ""}, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return root


@pytest.fixture(scope="session")
def artifacts(built: Path) -> dict[str, Path]:
    """The folder of each function, and the layer's."""
    folders = (path for path in (built / ".aws-sam" / "build").iterdir() if path.is_dir())
    return {folder.name: folder for folder in sorted(folders) if folder.name != "Observability"}


@pytest.fixture(scope="session")
def layer(artifacts: dict[str, Path]) -> Path:
    """What the kit's layer unpacks to /opt."""
    return artifacts["Kit"]
