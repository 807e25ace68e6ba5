"""What the projects beside this file print when they are tested, each once for all tests that look at it."""

from pathlib import Path

import pytest

from tests.testing.project import Outcome, run

collect_ignore = ["lies", "shop", "others"]


@pytest.fixture(scope="session")
def lies(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The project of lies."""
    folder: Path = tmp_path_factory.mktemp("lies")
    return run(folder, "lies.py", project="lies")
