"""Locks that share a base: complete, hashed, one version of each package for each Python, and divided without loss."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lab.locks import FOLDERS, packages, share, whole

LOCKS = sorted(lock for folder in FOLDERS for lock in folder.glob("*.txt") if lock.name != "base.txt")
NAMES = [f"{lock.parent.name}/{lock.stem}" for lock in LOCKS]
PYTHONS = [
    {"python_version": version, "python_full_version": f"{version}.0", "sys_platform": system, "platform_system": name}
    for version in ("3.10", "3.11", "3.12", "3.13", "3.14")
    for system, name in (("linux", "Linux"), ("darwin", "Darwin"), ("win32", "Windows"))
]
HASHED = re.compile(r"(\S+==.+?) \\\n(?:    --hash=sha256:[0-9a-f]{64} \\\n)*    --hash=sha256:[0-9a-f]{64}\n")
ONE, TWO, OLD, NEW = (
    f"{pin} \\\n    --hash=sha256:{letter * 64}\n"
    for pin, letter in (("one==1", "a"), ("two==2", "b"), ("three==3", "c"), ("three==4", "d"))
)


def _pins(lock: Path) -> list[Requirement]:
    """The pins of a lock and its base, each of which has to have hashes."""
    pinned = packages(whole(lock))
    matches = [HASHED.fullmatch(package) for package in pinned]
    assert "".join(pinned) == whole(lock)
    assert None not in matches
    return [Requirement(match[1]) for match in matches if match]


def _versions(pins: list[Requirement], python: dict[str, str]) -> dict[str, str]:
    """The version of each package on this Python and system, of which there may be only one."""
    applying = [pin for pin in pins if pin.marker is None or pin.marker.evaluate(python)]
    versions = {str(canonicalize_name(pin.name)): str(pin.specifier).removeprefix("==") for pin in applying}
    assert len(versions) == len(applying)
    return versions


def _wanted(file: Path) -> Iterator[Requirement]:
    """What a .in file asks for, with the files that it includes."""
    for line in filter(None, (line.partition("#")[0].strip() for line in file.read_text().splitlines())):
        if line.startswith("-r "):
            yield from _wanted(file.with_name(line.split()[1]))
        else:
            yield Requirement(line)


def _unmet(requirements: Iterable[Requirement], versions: dict[str, str], python: dict[str, str]) -> list[str]:
    return [
        str(requirement)
        for requirement in requirements
        if (requirement.marker is None or requirement.marker.evaluate({**python, "extra": ""}))
        and (
            (version := versions.get(canonicalize_name(requirement.name))) is None
            or not requirement.specifier.contains(version, prereleases=True)
        )
    ]


@pytest.mark.parametrize("lock", LOCKS, ids=NAMES)
def test_a_lock_with_its_base_has_each_package_once_with_hashes(lock: Path) -> None:
    """On every Python and system there is one version of each package, and what the .in file wants is among them."""
    pins = _pins(lock)
    for python in PYTHONS:
        assert _unmet(_wanted(lock.with_suffix(".in")), _versions(pins, python), python) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_base_has_all_that_the_locks_of_its_folder_share(folder: Path, tmp_path: Path) -> None:
    """Dividing the locks again changes nothing."""
    texts = {file.name: file.read_text() for file in folder.glob("*.txt")}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    share(tmp_path)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == texts


def test_complete_locks_become_a_base_and_the_rest_of_each(tmp_path: Path) -> None:
    """As after `make lock`: the base that was there before does not count."""
    (tmp_path / "base.txt").write_text(OLD)
    (tmp_path / "old.txt").write_text(OLD + ONE + TWO)
    (tmp_path / "new.txt").write_text(ONE + NEW + TWO)
    share(tmp_path)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {
        "base.txt": ONE + TWO,
        "old.txt": f"-r base.txt\n{OLD}",
        "new.txt": f"-r base.txt\n{NEW}",
    }
    assert whole(tmp_path / "new.txt") == ONE + TWO + NEW
