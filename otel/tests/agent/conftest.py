"""Trace files of known causes, which several modules ask about."""

from pathlib import Path

import pytest

from tests.agent.scenes import write_scenes


@pytest.fixture(scope="package")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the scenes."""
    folder = tmp_path_factory.mktemp("scenes")
    write_scenes(folder)
    return folder
