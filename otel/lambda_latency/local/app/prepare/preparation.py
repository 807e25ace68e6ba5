"""Prepares a declared function for the sandbox: its Python version, packages and folders."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lambda_latency.local.app.prepare.instrument import How, instrumentation
from lambda_latency.local.app.prepare.layer_imports import borrowed
from lambda_latency.local.app.prepare.make import Builds
from lambda_latency.local.app.prepare.packages import Packages
from lambda_latency.local.app.prepare.projects import dependencies
from lambda_latency.local.app.prepare.xray_sdk import BRIDGED, bridge_variables
from lambda_latency.local.app.read.declared import Declared, Refused
from lambda_latency.local.errors import LocalError
from lambda_latency.local.sandbox.function import Function
from lambda_latency.pythons import Version, nearest_python

LEVELS = 3  # parent folders of the code that are searched for a pyproject.toml
TRACING = ("AWSOpenTelemetryDistro", "aws-otel")  # layers that the kit replaces locally
# Layers of external extensions: no code imports them.
EXTENSIONS = ("LambdaInsightsExtension", "AWS-AppConfig", "AWS-Parameters", "Datadog-Extension")


@dataclass(frozen=True, slots=True)
class Preparation:
    """Prepares functions. `root` is the template's folder; inline code and unpacked layers are written to `folder`.

    `instrument` selects the tracing of functions that do not start OpenTelemetry themselves; `tell` receives notes for
    the user.
    """

    packages: Packages
    root: Path
    folder: Path
    builds: Builds
    instrument: How
    tell: Callable[[str], None]

    def __call__(self, declared: Declared, environment: Mapping[str, str]) -> Function | Refused:
        """The function with its variables, or the reason why it cannot run locally."""
        try:
            return self._prepared(declared, environment)
        except LocalError as error:
            return Refused(declared.key, declared.name, f"{error.what}\n  {error.todo}")

    def _prepared(self, declared: Declared, environment: Mapping[str, str]) -> Function:
        version = nearest_python(declared.version, self.packages.pythons)
        if version != declared.version:
            have, wanted = _dotted(version), _dotted(declared.version)
            self.tell(f"Python {wanted} is not installed: functions that need it run on {have}")
        code = self.builds.of(declared.code, version) if declared.code is not None else self._inline(declared)
        if code.suffix == ".zip":
            code = self._unpacked(code)
        elif code.is_file():
            code = self._alone(declared, code)
        layers = self._layers(declared, version)
        traced = instrumentation(declared, self.instrument, self.packages, version, (code, *layers))
        content = declared.code
        has_packages = content is not None and (content.target or content.is_built)
        own = [] if has_packages else self._requirements(code, version)
        paths = [*own, *self._imported(declared, layers, version)]
        if not declared.wrapper and not declared.arns:  # otherwise an AWS layer may have what is imported
            self._tell_borrowed(declared, code, paths, traced.paths, version)
        paths = self._with_tracing(declared, paths, traced.paths)
        bridge = {}
        if self.instrument == "kit" and not declared.wrapper:
            bridge = bridge_variables(environment, (code, *layers))
            if bridge:
                self.tell(BRIDGED.line(names=declared.key))
        return Function(
            name=declared.name,
            handler=traced.handler,
            timeout_s=declared.timeout_s,
            memory_mb=declared.memory_mb,
            environment={**environment, **bridge, **traced.variables},
            code=code,
            python=self.packages.runtime(version),
            runtime=f"python{_dotted(version)}",
            paths=tuple(paths),
            layers=(*layers, *traced.layers),
            read_only=content is not None and content.is_built,
        )

    def _tell_borrowed(
        self, declared: Declared, code: Path, own: list[Path], tracing: tuple[Path, ...], version: Version
    ) -> None:
        runtime = self.packages.runtime(version).parent.parent / "lib" / f"python{_dotted(version)}" / "site-packages"
        names = ", ".join(borrowed(code, [*own, runtime], tracing))
        if names:
            what = f"{declared.key} imports {names}, which only the tracing layer has here"
            self.tell(f"{what}; without that layer the import fails on Lambda: name it in the requirements")

    def _with_tracing(self, declared: Declared, own: list[Path], tracing: tuple[Path, ...]) -> list[Path]:
        """The import paths in their order: as on Lambda, a function's own packages first.

        If those contain OpenTelemetry, the tracing layer comes first, or the function could not be traced. A function
        that declares an exec wrapper keeps Lambda's order.
        """
        if tracing and not declared.wrapper and any((folder / "opentelemetry").is_dir() for folder in own):
            what = f"{declared.key}: its packages contain OpenTelemetry, but the tracing layer's version is used"
            self.tell(f"{what}; on Lambda its own comes first, and may be incompatible with the layer's")
            return [*tracing, *own]
        return [*own, *tracing]

    def _requirements(self, code: Path, version: Version) -> list[Path]:
        """The packages of its requirements.txt; without one, those of the next pyproject.toml or Pipfile above it."""
        file = code / "requirements.txt"
        if file.is_file():
            return [self.packages.requirements(file, self.root, version)]
        for folder in (code, *code.parents[:LEVELS]):
            for file in (folder / "pyproject.toml", folder / "Pipfile"):
                wanted = dependencies(file)
                if wanted:
                    self.tell(f"{code} has no requirements.txt: its packages are those of {file}")
                    return [self.packages.distributions(wanted, version)]
            if (folder / ".git").exists():
                break
        return []

    def _layers(self, declared: Declared, version: Version) -> list[Path]:
        """The folders of its local layers, in their order."""
        found: list[Path] = []
        for layer in declared.layers:
            content = self.builds.of(layer, version)
            if content.exists():
                folder = self._unpacked(content) if content.suffix == ".zip" else content
                found.append(folder)
                extensions = folder / "extensions"
                if extensions.is_dir():
                    names = ", ".join(sorted(one.name for one in extensions.iterdir()))
                    self.tell(f"the layer {content} has extensions, which are not started here: {names}")
            else:
                self.tell(f"{declared.key}: its layer {content} is not there and is left out")
        return found

    def _imported(self, declared: Declared, layers: list[Path], version: Version) -> list[Path]:
        """The import paths of its layers: folders of local layers, packages of known public layers."""
        found: list[Path] = []
        for folder in layers:
            own = folder / "python"
            # The source of a layer that `sam build` builds has modules and requirements at the top level.
            found += [own, own / "lib" / f"python{_dotted(version)}" / "site-packages"] if own.is_dir() else [folder]
            if (folder / "requirements.txt").is_file():
                found += self._requirements(folder, version)
        for arn in declared.arns:
            packages = self.packages.layer(arn, version)
            if packages is not None:
                found.append(packages)
            elif any(name in arn for name in EXTENSIONS):
                self.tell(f"the layer {arn.partition(':layer:')[2]} is an extension, which is not started here")
            elif not any(name in arn for name in TRACING):
                self.tell(f"{declared.key}: the layer {arn} exists only on AWS and is left out")
        return found

    def _alone(self, declared: Declared, file: Path) -> Path:
        """A folder with a single file, as `sam package` makes an archive of it."""
        folder = self.folder / declared.key.replace("/", "-")
        folder.mkdir(exist_ok=True)
        shutil.copy(file, folder / file.name)
        return folder

    def _inline(self, declared: Declared) -> Path:
        code = self.folder / declared.key.replace("/", "-")
        code.mkdir(exist_ok=True)
        (code / "index.py").write_text(declared.inline, encoding="utf-8")
        shutil.copy(Path(__file__).with_name("cfnresponse.py"), code)  # Lambda adds it to inline code, and to no other
        return code

    def _unpacked(self, archive: Path) -> Path:
        # The name tells apart archives with one name, and the versions of one. Functions that share an archive are
        # prepared at once: the folder appears when it is complete.
        version = hashlib.sha256(f"{archive}:{archive.stat().st_mtime_ns}".encode()).hexdigest()[:12]
        folder = self.folder / f"{archive.stem}-{version}"
        if folder.exists():
            return folder
        half_made = Path(tempfile.mkdtemp(dir=self.folder))
        try:
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(half_made)
        except (OSError, zipfile.BadZipFile) as error:
            raise LocalError(f"{archive} cannot be unpacked: {error}", "build it again") from None
        with contextlib.suppress(OSError):  # another thread was faster
            half_made.rename(folder)
        return folder


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))
