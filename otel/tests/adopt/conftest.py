"""Layers are compiled where a test asks for it: it takes a second."""

import pytest

from lambda_latency.adopt import bytecode


@pytest.fixture(autouse=True)
def no_pythons(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No Python is found."""
    if "compiles" not in request.keywords:
        monkeypatch.setattr(bytecode, "find_python", lambda _: None)


@pytest.fixture(autouse=True)
def in_virginia(monkeypatch: pytest.MonkeyPatch) -> None:
    """The region of the apps is that of the variable, unless a test names another."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
