"""A callback when a module is first imported."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import TYPE_CHECKING

import pytest

from lambda_latency.runtime.imports import ImportHook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def hook() -> Iterator[ImportHook]:
    """A hook that watches."""
    hook = ImportHook()
    hook.install()
    yield hook
    hook.remove()


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library that nobody has imported yet."""
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("someone", "someone.part"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    folder = tmp_path / "someone"
    folder.mkdir()
    (folder / "__init__.py").write_text("from someone import part\nready = True\n")
    (folder / "part.py").write_text("LOADER = type(__loader__).__name__\nSPEC = type(__spec__.loader).__name__\n")
    importlib.invalidate_caches()
    return folder


@pytest.mark.usefixtures("library")
def test_the_callback_comes_after_the_first_import_and_only_then(hook: ImportHook) -> None:
    """The module is complete by then."""
    seen: list[bool] = []
    hook.when("someone", lambda module: seen.append(module.ready))
    assert seen == []
    importlib.import_module("someone")
    importlib.import_module("someone")
    assert seen == [True]


@pytest.mark.usefixtures("library")
def test_a_module_that_is_imported_already_is_called_back_now(hook: ImportHook) -> None:
    """The runtime client itself may have imported it."""
    module = importlib.import_module("someone")
    seen: list[ModuleType] = []
    hook.when("someone", seen.append)
    assert seen == [module]


@pytest.mark.usefixtures("library")
def test_a_submodule_that_its_package_imports_is_seen(hook: ImportHook) -> None:
    """`botocore.client` is one."""
    seen: list[str] = []
    hook.when("someone.part", lambda module: seen.append(module.__name__))
    importlib.import_module("someone")
    assert seen == ["someone.part"]


@pytest.mark.usefixtures("library")
def test_a_submodule_is_an_attribute_of_its_package_by_then(hook: ImportHook) -> None:
    """Python writes it there right after: `mysql.connector` could not be found by its own instrumentation."""
    seen: list[bool] = []
    hook.when("someone.part", lambda module: seen.append(sys.modules["someone"].part is module))
    importlib.import_module("someone")
    assert seen == [True]


def test_a_module_that_is_being_imported_is_waited_for(hook: ImportHook, library: Path) -> None:
    """An instrumentation imports its library: whoever is told of that must not use the half of an instrumentation."""
    (library / "__init__.py").write_text("from someone import part\nready = True\n")
    seen: list[bool] = []
    hook.watch("someone")
    hook.when("someone.part", lambda _part: hook.when("someone", lambda module: seen.append(module.ready)))
    importlib.import_module("someone")
    assert seen == [True]


@pytest.mark.usefixtures("library")
def test_the_module_runs_with_its_own_loader(hook: ImportHook) -> None:
    """Resources, source lines and zip files are found through it."""
    hook.when("someone.part", lambda _module: None)
    part = importlib.import_module("someone.part")
    assert (part.LOADER, part.SPEC) == ("SourceFileLoader", "SourceFileLoader")


@pytest.mark.usefixtures("library")
def test_looking_for_a_module_is_not_importing_it(hook: ImportHook) -> None:
    """`importlib.util.find_spec` is how code asks what is installed; the spec answers as ever."""
    seen: list[ModuleType] = []
    hook.when("someone", seen.append)
    spec = importlib.util.find_spec("someone")
    assert spec is not None
    assert spec.loader is not None
    assert spec.loader.is_package("someone")  # type: ignore[attr-defined]
    assert seen == []
    importlib.import_module("someone")
    assert len(seen) == 1


@pytest.mark.usefixtures("library")
def test_a_finder_without_find_spec_is_passed_over(hook: ImportHook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python itself passes over one since 3.12; before, it asks for `find_module`."""
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path[:1], object(), *sys.meta_path[1:]])
    seen: list[ModuleType] = []
    hook.when("someone", seen.append)
    spec = hook.find_spec("someone", None)
    assert spec is not None
    assert (spec.name, seen) == ("someone", [])


@pytest.mark.usefixtures("library")
def test_a_finder_before_the_hook_is_asked_once(hook: ImportHook, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has found nothing by then."""
    asked: list[str] = []

    class Finder:
        """Finds nothing."""

        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            """Keep what it is asked for."""
            asked.append(name)

    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    seen: list[ModuleType] = []
    hook.when("someone", seen.append)
    importlib.import_module("someone")
    assert (asked, len(seen)) == (["someone", "someone.part"], 1)


def test_a_module_that_fails_is_waited_for_still(hook: ImportHook, library: Path) -> None:
    """Its importer may catch the error and try again."""
    seen: list[ModuleType] = []
    hook.when("someone", seen.append)
    good = (library / "__init__.py").read_text()
    (library / "__init__.py").write_text("raise ImportError('not yet')")
    with pytest.raises(ImportError, match="not yet"):
        importlib.import_module("someone")
    (library / "__init__.py").write_text(good)
    importlib.invalidate_caches()
    importlib.import_module("someone")
    assert len(seen) == 1


def test_a_module_that_is_not_there_is_still_not_there(hook: ImportHook) -> None:
    """The error is Python's own."""
    hook.when("no_such_module", lambda _module: None)
    with pytest.raises(ModuleNotFoundError, match="No module named 'no_such_module'"):
        importlib.import_module("no_such_module")


@pytest.mark.usefixtures("library")
def test_after_removal_nothing_is_called_back() -> None:
    """And Python's list of finders is as before."""
    before = list(sys.meta_path)
    hook = ImportHook()
    hook.install()
    seen: list[ModuleType] = []
    hook.when("someone", seen.append)
    hook.remove()
    hook.remove()
    importlib.import_module("someone")
    assert (seen, sys.meta_path) == ([], before)
