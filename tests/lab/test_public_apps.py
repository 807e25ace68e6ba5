"""The lists of public apps: every call says how it is made and what the app's code implies."""

from __future__ import annotations

import pytest

from lab.public_apps.__main__ import HERE, Result, listed

KINDS = {"request", "invoke", "send", "fire"}
WANTED = {"status", "answer", "runs"}


@pytest.mark.parametrize("name", ["apps.toml", "own.toml"])
def test_every_call_has_one_kind_and_an_answer(name: str) -> None:
    """A call without either would be right whatever the app does."""
    for app in listed(name):
        assert app["calls"], app["folder"]
        for call in app["calls"]:
            assert len(KINDS & call.keys()) == 1, call
            assert WANTED & call.keys(), call
            assert isinstance(call["spans"], list), call


def test_the_projects_own_apps_are_there() -> None:
    """Each with its template."""
    assert all((HERE / "own" / app["folder"] / "template.yaml").is_file() for app in listed("own.toml"))
    assert len(listed("apps.toml")) >= 20


def test_a_call_is_right_if_it_is_as_wanted() -> None:
    """Whole."""
    assert Result("a", "request GET /", "200; x", "200; x").is_right
    assert not Result("a", "request GET /", "200; x", "200; y").is_right
