"""A callback when a module is first imported."""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from lambda_latency.runtime.imports import ImportHook


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
    ready: list[bool] = []
    hook.on_import("someone", lambda module: ready.append(module.ready))
    assert ready == []
    importlib.import_module("someone")
    importlib.import_module("someone")
    assert ready == [True]


@pytest.mark.usefixtures("library")
def test_a_module_that_is_imported_already_is_called_back_now(hook: ImportHook) -> None:
    """The runtime client itself may have imported it."""
    module = importlib.import_module("someone")
    modules: list[ModuleType] = []
    hook.on_import("someone", modules.append)
    assert modules == [module]


@pytest.mark.usefixtures("library")
def test_a_submodule_that_its_package_imports_is_seen(hook: ImportHook) -> None:
    """`botocore.client` is one."""
    names: list[str] = []
    hook.on_import("someone.part", lambda module: names.append(module.__name__))
    importlib.import_module("someone")
    assert names == ["someone.part"]


@pytest.mark.usefixtures("library")
def test_a_submodule_is_an_attribute_of_its_package_by_then(hook: ImportHook) -> None:
    """Python writes it there right after: `mysql.connector` could not be found by its own instrumentation."""
    attributes: list[bool] = []
    hook.on_import("someone.part", lambda module: attributes.append(sys.modules["someone"].part is module))
    importlib.import_module("someone")
    assert attributes == [True]


def test_a_module_that_is_being_imported_is_waited_for(hook: ImportHook, library: Path) -> None:
    """An instrumentation imports its library: whoever is told of that must not use the half of an instrumentation."""
    (library / "__init__.py").write_text("from someone import part\nready = True\n")
    ready: list[bool] = []
    hook.watch("someone")
    hook.on_import("someone.part", lambda _part: hook.on_import("someone", lambda module: ready.append(module.ready)))
    importlib.import_module("someone")
    assert ready == [True]


@pytest.mark.usefixtures("library")
def test_the_module_runs_with_its_own_loader(hook: ImportHook) -> None:
    """Resources, source lines and zip files are found through it."""
    hook.on_import("someone.part", lambda _module: None)
    part = importlib.import_module("someone.part")
    assert (part.LOADER, part.SPEC) == ("SourceFileLoader", "SourceFileLoader")


@pytest.mark.usefixtures("library")
def test_looking_for_a_module_is_not_importing_it(hook: ImportHook) -> None:
    """`importlib.util.find_spec` is how code asks what is installed; the spec answers as ever."""
    modules: list[ModuleType] = []
    hook.on_import("someone", modules.append)
    spec = importlib.util.find_spec("someone")
    assert spec is not None
    assert spec.loader is not None
    assert spec.loader.is_package("someone")  # type: ignore[attr-defined]
    assert modules == []
    importlib.import_module("someone")
    assert len(modules) == 1


@pytest.mark.usefixtures("library")
def test_a_finder_without_find_spec_is_passed_over(hook: ImportHook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python itself passes over one since 3.12; before, it asks for `find_module`."""
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path[:1], object(), *sys.meta_path[1:]])
    modules: list[ModuleType] = []
    hook.on_import("someone", modules.append)
    spec = hook.find_spec("someone", None)
    assert spec is not None
    assert (spec.name, modules) == ("someone", [])


@pytest.mark.usefixtures("library")
def test_a_finder_before_the_hook_is_asked_once(hook: ImportHook, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has found nothing by then."""
    names: list[str] = []

    class Finder:
        """Finds nothing."""

        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            """Keep what it is asked for."""
            names.append(name)

    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    modules: list[ModuleType] = []
    hook.on_import("someone", modules.append)
    importlib.import_module("someone")
    assert (names, len(modules)) == (["someone", "someone.part"], 1)


def test_a_module_that_fails_is_waited_for_still(hook: ImportHook, library: Path) -> None:
    """Its importer may catch the error and try again."""
    modules: list[ModuleType] = []
    hook.on_import("someone", modules.append)
    good = (library / "__init__.py").read_text()
    (library / "__init__.py").write_text("raise ImportError('not yet')")
    with pytest.raises(ImportError, match="not yet"):
        importlib.import_module("someone")
    (library / "__init__.py").write_text(good)
    importlib.invalidate_caches()
    importlib.import_module("someone")
    assert len(modules) == 1


def test_a_module_that_is_not_there_is_still_not_there(hook: ImportHook) -> None:
    """The error is Python's own."""
    hook.on_import("no_such_module", lambda _module: None)
    with pytest.raises(ModuleNotFoundError, match="No module named 'no_such_module'"):
        importlib.import_module("no_such_module")


@pytest.mark.usefixtures("library")
def test_after_removal_nothing_is_called_back() -> None:
    """And Python's list of finders is as before."""
    finders = list(sys.meta_path)
    hook = ImportHook()
    hook.install()
    modules: list[ModuleType] = []
    hook.on_import("someone", modules.append)
    hook.remove()
    hook.remove()
    importlib.import_module("someone")
    assert (modules, sys.meta_path) == ([], finders)
