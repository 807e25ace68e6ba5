"""The import contracts of our own, each held against a small package that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import grimp
import pytest

from lab.contracts import NoCircles, OnlyThesePackages, ThroughPublicApi, Walls

ROOT = Path(__file__).parents[3]
PACKAGE = "cottage"

Contracts: TypeAlias = type[NoCircles] | type[OnlyThesePackages] | type[ThroughPublicApi] | type[Walls]
Check: TypeAlias = Callable[..., list[str]]


def write(folder: Path, files: dict[str, str]) -> None:
    """A package of these modules; every folder has an `__init__`."""
    for name, text in {"__init__.py": "", **files}.items():
        path = folder / PACKAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name("__init__.py").touch()
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """What a contract says of a package of these modules."""

    def check(contract: Contracts, files: dict[str, str], **options: Any) -> list[str]:
        write(tmp_path, files)
        monkeypatch.syspath_prepend(tmp_path)
        graph = grimp.build_graph(PACKAGE, include_external_packages=True, cache_dir=None)
        outcome = contract("made up", {}, options).check(graph, verbose=False)
        lines: list[str] = outcome.metadata["wrong"]
        assert outcome.kept is not bool(lines)
        return lines

    return check


# ---- No circles -----------------------------------------------------------------------------------------------------

CIRCLE = {
    "door.py": "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from cottage.key import Key\n",
    "key.py": "def use() -> None:\n    from cottage import door\n",
    "roof.py": "import cottage.door\n",
}


def test_a_circle_is_named_with_its_lines(wrong: Check) -> None:
    """Imports for the type checker and inside of functions count; who only uses the circle is not in it."""
    assert wrong(NoCircles, CIRCLE) == ["cottage.door:4 imports cottage.key, cottage.key:2 imports cottage.door"]


# ---- Through the public API -------------------------------------------------------------------------------------

SHED = {
    "shed/__init__.py": "from cottage.shed.saw import Saw\n\n__all__ = ['Saw']\n",
    "shed/saw.py": "from cottage.shed.blade import Blade\n\n\nclass Saw: ...\n",
    "shed/blade.py": "class Blade: ...\n",
}


def test_the_inside_of_a_room_is_its_own(wrong: Check) -> None:
    """Whichever way it is imported: by its module, as a module, out of the package, relative."""
    files = {
        **SHED,
        "attic/a.py": "from cottage.shed.blade import Blade\n",
        "attic/b.py": "import os\nimport cottage.shed.blade\n",
        "attic/c.py": "from cottage.shed import Saw, blade\n",
        "attic/d.py": "def cut() -> None:\n    from ..shed.saw import Saw\n",
    }
    face = "which is not in the public API of cottage.shed (its __all__)"
    assert wrong(ThroughPublicApi, files, package="cottage") == [
        f"cottage.attic.a:1 imports cottage.shed.blade, {face}",
        f"cottage.attic.b:2 imports cottage.shed.blade, {face}",
        f"cottage.attic.c:1 imports cottage.shed.blade, {face}",
        f"cottage.attic.d:2 imports cottage.shed.saw, {face}",
    ]


def test_the_face_of_a_room_is_for_all(wrong: Check) -> None:
    """Its names, or the subpackage as a whole; modules that are no subpackage have no public API."""
    files = {
        **SHED,
        "version.py": "VERSION = '1'\n",
        "attic/a.py": "from cottage.shed import Saw\nfrom cottage.version import VERSION\n",
        "attic/b.py": "import cottage.shed\nfrom cottage import shed\n",
    }
    assert wrong(ThroughPublicApi, files, package="cottage") == []


def test_a_known_import_of_an_inside_is_allowed_until_it_is_gone(wrong: Check) -> None:
    """An exception is for a module or for all of a subpackage; one that nothing needs is to be deleted."""
    files = {**SHED, "attic/a.py": "from cottage.shed.blade import Blade\n"}
    needed, gone = "cottage.attic -> cottage.shed.blade", "cottage.cellar -> cottage.shed"
    assert wrong(ThroughPublicApi, files, package="cottage", known=[needed, gone]) == [
        f"{gone} is no longer so: delete it from the exceptions in pyproject.toml"
    ]


# ---- Walls ----------------------------------------------------------------------------------------------------------


def test_a_room_imports_only_the_rooms_of_its_line(wrong: Check) -> None:
    """The line is not read backwards: who may be imported may not import."""
    files = {**SHED, "attic/a.py": "from cottage.shed import Saw\n"}
    subpackages = ["__init__:", "attic: shed", "shed:"]
    assert wrong(Walls, files, package="cottage", subpackages=subpackages) == []
    files["shed/blade.py"] = "import cottage.attic.a\n"
    assert wrong(Walls, files, package="cottage", subpackages=subpackages) == [
        "cottage.shed.blade:1 imports cottage.attic.a: shed may not import attic"
    ]


def test_every_room_has_its_line(wrong: Check) -> None:
    """A new subpackage is not free of walls for being new."""
    assert wrong(Walls, {"attic/__init__.py": ""}, package="cottage", subpackages=["__init__:"]) == [
        "cottage.attic is in no subpackage: add a line for attic"
    ]


# ---- Packages -------------------------------------------------------------------------------------------------------


def test_a_package_imports_only_the_packages_that_it_needs(wrong: Check) -> None:
    """The standard library is free, what is in `allowed`, and single imports in `but`, which are in use."""
    files = {"a.py": "import json\nimport yaml\nimport rich.console\n", "b.py": "import msgspec\n"}
    options = {"package": "cottage", "allowed": ["yaml"], "but": ["cottage.b -> msgspec", "cottage.a -> msgspec"]}
    assert wrong(OnlyThesePackages, files, **options) == [
        "cottage.a imports rich",
        "cottage.a -> msgspec is no longer so: delete it from the exceptions in pyproject.toml",
    ]
