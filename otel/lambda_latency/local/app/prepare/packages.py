"""Installs the packages that functions import, with uv, into cached environments and folders.

As on Lambda there are three kinds: the runtime's packages (boto3, the runtime client) in a virtual environment per
Python version, the tracing layer's packages in a folder, and the packages of each requirements file in a folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version as installed_version
from pathlib import Path

from lambda_latency.layer import layer_files
from lambda_latency.local.errors import LocalError
from lambda_latency.local.processes import Run, run
from lambda_latency.pythons import Version

# The packages in Lambda's Python runtimes: https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
RUNTIME = ("awslambdaric>=3,<5", "boto3", "setuptools<81")
LIMIT_S = 600
PATH = re.compile(r"^\s*(-e\s*)?\.{1,2}/", re.MULTILINE)  # in a requirements file
UNREACHED = re.compile("error sending request|Failed to fetch|dns error")
_locks: dict[str, threading.Lock] = {}
# The PyPI packages of known public layers, whose archives exist only on AWS.
LAYERS: Mapping[str, tuple[str, ...]] = {
    "AWSLambdaPowertoolsPython": ("aws-lambda-powertools[all]", "aws-xray-sdk"),
    "AWSSDKPandas": ("awswrangler",),
}


@dataclass(frozen=True, slots=True)
class Packages:
    """The cached environments and folders below `cache`, created on first use. `pythons`: interpreters by version;
    `tell` receives a line before each installation, `run` runs uv.

    An installation that fails is not repeated until `forget`, because an app's functions often share their packages.
    """

    cache: Path
    pythons: Mapping[Version, Path]
    tell: Callable[[str], None] = field(default=lambda _: None, compare=False)
    run: Run = field(default=run, compare=False)
    _failed: dict[tuple[str, Path | None], LocalError] = field(default_factory=dict, repr=False, compare=False)

    def forget(self) -> None:
        """Forget the installations that failed, because sources have changed."""
        self._failed.clear()

    def runtime(self, version: Version) -> Path:
        """The interpreter of an environment with the runtime's packages. Raises `LocalError` with uv's last output."""
        name = f"runtime-{dotted(version)}-{_digest(RUNTIME)}"
        return self._environment(name, self.pythons[version], "--compile-bytecode", *RUNTIME)

    def emulator(self, lock: Path) -> Path:
        """Return the interpreter of an environment for a lock file alone. Raises `LocalError` with uv's last output."""
        name = f"emulator-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
        return self._environment(name, Path(sys.executable), "--require-hashes", "--requirement", str(lock))

    def tracing(self, version: Version) -> Path:
        """Return a folder with the packages of the tracing layer."""
        distro = "aws-opentelemetry-distro"
        return self.distributions([f"{distro}=={installed_version(distro)}"], version)

    def kit(self, version: Version) -> Path:
        """Return the folder of the kit's layer, unpacked, with the same files as on Lambda."""
        files = layer_files()
        whole = b"".join(name.encode() + file.read_bytes() for name, file in files.items())
        content = hashlib.sha256(whole).hexdigest()[:12]

        def make(folder: Path) -> None:
            for name, file in files.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, folder / name)
            compiled = [str(self.pythons[version]), "-m", "compileall", "-q", str(folder)]
            subprocess.run(compiled, check=False, capture_output=True, timeout=LIMIT_S)

        return self._made(f"layer-{dotted(version)}-{content}", make, installs=False)

    def requirements(self, file: Path, root: Path, version: Version) -> Path:
        """A folder with the packages of a requirements file. Paths in it are relative to the file, or else to `root`.

        Raises `LocalError` with uv's last output.
        """
        has_paths = PATH.search(file.read_text(encoding="utf-8")) is not None
        content = file.read_bytes() + (str(file.parent).encode() if has_paths else b"")
        name = f"requirements-{dotted(version)}-{hashlib.sha256(content).hexdigest()[:16]}"
        arguments = ["--requirement", str(file)]
        folders = [file.parent]
        if file.parent != root and has_paths:
            folders.append(root)
        for folder in folders:
            try:
                return self._folder(name, version, arguments, cwd=folder)
            except LocalError as error:
                failed = error
        raise LocalError(f"{failed.message} for {file}", failed.todo)

    def distributions(self, requirements: Sequence[str], version: Version) -> Path:
        """Return a folder with distributions, which are given as lines of a requirements file."""
        return self._folder(f"distributions-{dotted(version)}-{_digest(requirements)}", version, requirements)

    def layer(self, arn: str, version: Version) -> Path | None:
        """Return a folder with the packages of a known public layer; None for any other layer."""
        name = arn.partition(":layer:")[2]
        for public_name, packages in LAYERS.items():
            if name.startswith(public_name):
                return self.distributions(packages, version)
        return None

    def _environment(self, name: str, base: Path, *arguments: str) -> Path:
        """Return the interpreter of a virtual environment with the packages of these arguments of `uv pip install`."""

        def make(folder: Path) -> None:
            self._uv("venv", "--quiet", "--clear", "--python", str(base), str(folder))
            python = str(folder / "bin" / "python")
            self._uv("pip", "install", "--quiet", "--python", python, *arguments)

        return self._made(name, make) / "bin" / "python"

    def _folder(self, name: str, version: Version, arguments: Sequence[str], *, cwd: Path | None = None) -> Path:
        def make(folder: Path) -> None:
            python = ["--python", str(self.pythons[version]), "--target", str(folder)]
            self._uv("pip", "install", "--quiet", "--compile-bytecode", *python, *arguments, cwd=cwd)

        if (name, cwd) in self._failed:
            raise self._failed[name, cwd]
        try:
            return self._made(name, make)
        except LocalError as error:
            self._failed[name, cwd] = error
            raise

    def _made(self, name: str, make: Callable[[Path], None], *, installs: bool = True) -> Path:
        """The folder that `make` fills. It is renamed when complete, because other processes may need it at once.

        An installation (`installs`) is announced, because it takes long.
        """
        folder = self.cache / name
        with _locks.setdefault(name, threading.Lock()):
            if not folder.exists():
                if installs:
                    note = f"packages are installed into {self.cache}"
                    self.tell(f"{note}, which may take a minute; later starts use them again")
                try:
                    self.cache.mkdir(parents=True, exist_ok=True)
                    half = tempfile.TemporaryDirectory(prefix=f".{name}-", dir=self.cache)
                except OSError as error:
                    mistake = f"{self.cache} cannot be written: {error.strerror}"
                    raise LocalError(mistake, "set XDG_CACHE_HOME to a folder that can be written") from None
                with half as half_made:
                    place = Path(half_made, name)
                    make(place)
                    place.mkdir(exist_ok=True)  # uv creates no folder for an empty list
                    with contextlib.suppress(OSError):  # another process was faster
                        place.rename(folder)
        return folder

    def _uv(self, *arguments: str, cwd: Path | None = None) -> None:
        program = Path(sys.executable).with_name("uv")
        command = str(program) if program.exists() else shutil.which("uv")
        if command is None:
            todo = "install it with pip install uv: it installs the packages of functions"
            raise LocalError("uv is not installed", todo)
        # The variables of the active environment would redirect the installation.
        env = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
        try:
            ran = self.run([command, *arguments], env, cwd or Path.cwd(), LIMIT_S)
        except subprocess.TimeoutExpired:
            raise LocalError(f"uv {' '.join(arguments[:2])} took over {LIMIT_S} s", "check the network") from None
        if ran.returncode:
            printed = ran.stdout.strip().splitlines()[-8:]
            if any(UNREACHED.search(line) for line in printed):
                printed.append("the package index does not answer: check the network, HTTPS_PROXY and UV_DEFAULT_INDEX")
            raise LocalError(f"uv {' '.join(arguments[:2])} failed", "\n  ".join(printed))


def cache_folder() -> Path:
    """Return the default cache: `lambda-latency` in XDG_CACHE_HOME, or in ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lambda-latency"


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def dotted(version: Version) -> str:
    """`3.13`."""
    return ".".join(map(str, version))
