"""Layers are compiled where a test asks for it: it takes a second."""

import pytest

from lambda_latency.adopt import bytecode


@pytest.fixture(autouse=True)
def no_pythons(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No Python is found."""
    if "compiles" not in request.keywords:
        monkeypatch.setattr(bytecode, "find_python", lambda _: None)
