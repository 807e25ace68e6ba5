"""Prepares a declared function for the sandbox: its Python version, packages and folders."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambda_latency.local.app.prepare.imports import BRIDGED, borrowed, bridge_variables
from lambda_latency.local.app.prepare.instrument import TracingMode, instrumentation, starts_itself
from lambda_latency.local.app.prepare.make import Builds
from lambda_latency.local.app.prepare.packages import Packages, dotted
from lambda_latency.local.app.read.declared import Declared, Refused
from lambda_latency.local.errors import LocalError
from lambda_latency.local.sandbox.function import Function
from lambda_latency.pythons import Version, nearest_python

# In Lambda's runtimes: https://docs.aws.amazon.com/lambda/latest/dg/durable-supported-runtimes.html
DURABLE, DURABLE_MODULE = ("aws-durable-execution-sdk-python",), "aws_durable_execution_sdk_python"
# Parent folders of the code that are searched for a pyproject.toml
LEVELS = 3
KIT_LAYER = "Kit"  # in the example's template, and in those that `init` writes
# Layers that the kit replaces locally, the last by the name of its stack in the docs
TRACING = ("AWSOpenTelemetryDistro", "aws-otel", ":layer:lambda-latency")
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
    instrument: TracingMode
    tell: Callable[[str], None]

    def __call__(self, declared: Declared, environment: Mapping[str, str]) -> Function | Refused:
        """Return the function with its variables, or the reason why it cannot run locally."""
        try:
            return self._prepared(declared, environment)
        except LocalError as error:
            return Refused(declared.key, declared.name, f"{error.message}\n  {error.todo}")

    def _prepared(self, declared: Declared, environment: Mapping[str, str]) -> Function:
        version = nearest_python(declared.version, self.packages.pythons)
        if version != declared.version:
            runs_on, needed = dotted(version), dotted(declared.version)
            self.tell(f"Python {needed} is not installed: functions that need it run on {runs_on}")
        code = self._code(declared, version)
        layers = self._layers(declared, version)
        traced = instrumentation(declared, self.instrument, self.packages, version, (code, *layers))
        content = declared.code
        has_packages = content is not None and (content.target or content.is_built)
        sources = code if content is None or content.package is None else content.package
        requirements = [] if has_packages else self._requirements(sources, version)
        paths = [*requirements, *self._imported(declared, layers, version)]
        if not declared.wrapper and not declared.arns:  # otherwise an AWS layer may have what is imported
            self._tell_borrowed(declared, sources, paths, traced.paths, version)
        paths = [*self._with_tracing(declared, paths, traced.paths), *self._of_durable(declared, code, paths, version)]
        bridge = self._bridge(declared, environment, (sources, *layers))
        return Function(
            name=declared.name,
            handler=traced.handler,
            timeout_s=declared.timeout_s,
            memory_mb=declared.memory_mb,
            environment={**environment, **bridge, **traced.variables},
            log_format=declared.log_format,
            log_level=declared.log_level,
            code=code,
            python=self.packages.runtime(version),
            runtime=f"python{dotted(version)}",
            paths=tuple(paths),
            layers=(*layers, *traced.layers),
            read_only=content is not None and content.is_built,
        )

    def _code(self, declared: Declared, version: Version) -> Path:
        code = self.builds.artifact(declared.code, version) if declared.code is not None else None
        if code is not None and code.suffix == ".zip":
            return self._unpacked(code)
        if code is not None and not code.is_file():
            return code
        folder = self.folder / declared.key.replace("/", "-")
        folder.mkdir(exist_ok=True)
        if code is not None:  # a single file, of which `sam package` makes an archive
            shutil.copy(code, folder)
        else:
            (folder / "index.py").write_text(declared.inline, encoding="utf-8")
            # Lambda adds it to inline code, and to no other.
            shutil.copy(Path(__file__).with_name("cfnresponse.py"), folder)
        return folder

    def _bridge(self, declared: Declared, environment: Mapping[str, str], folders: Sequence[Path]) -> dict[str, str]:
        """Return the variables with which the kit takes the X-Ray SDK's place; empty if it does not."""
        is_traced = self.instrument == "kit" and not declared.wrapper
        variables = bridge_variables(environment, folders) if is_traced else {}
        if variables:
            self.tell(BRIDGED.line(names=declared.key))
        return variables

    def _tell_borrowed(
        self, declared: Declared, code: Path, paths: list[Path], tracing: tuple[Path, ...], version: Version
    ) -> None:
        runtime = self.packages.runtime(version).parent.parent / _site_packages(version)
        names = ", ".join(borrowed(code, [*paths, runtime], tracing))
        if names:
            fact = f"{declared.key} imports {names}, which only the tracing layer has here"
            self.tell(f"{fact}; without that layer the import fails on Lambda: name it in the requirements")

    def _with_tracing(self, declared: Declared, paths: list[Path], tracing: tuple[Path, ...]) -> list[Path]:
        """Return the import paths in their order: as on Lambda, a function's own packages first.

        If those contain OpenTelemetry, the tracing layer comes first, or the function could not be traced. A function
        that declares an exec wrapper keeps Lambda's order.
        """
        if tracing and not declared.wrapper and any((folder / "opentelemetry").is_dir() for folder in paths):
            fact = f"{declared.key}: its packages contain OpenTelemetry, but the tracing layer's version is used"
            self.tell(f"{fact}; on Lambda its own comes first, and may be incompatible with the layer's")
            return [*tracing, *paths]
        return [*paths, *tracing]

    def _of_durable(self, declared: Declared, code: Path, paths: list[Path], version: Version) -> list[Path]:
        """Return the SDK that Lambda's runtimes have for durable functions, unless the function brings its own."""
        has_sdk = any((folder / DURABLE_MODULE).is_dir() for folder in (code, *paths))
        return [self.packages.distributions(DURABLE, version)] if declared.durable is not None and not has_sdk else []

    def _requirements(self, code: Path, version: Version) -> list[Path]:
        """The packages of its requirements.txt; without one, those of the next pyproject.toml or Pipfile above it."""
        file = code / "requirements.txt"
        if file.is_file():
            return [self.packages.requirements(file, self.root, version)]
        for folder in (code, *code.parents[:LEVELS]):
            for file in (folder / "pyproject.toml", folder / "Pipfile"):
                declared = dependencies(file)
                if declared:
                    self.tell(f"{code} has no requirements.txt: its packages are those of {file}")
                    return [self.packages.distributions(declared, version)]
            if (folder / ".git").exists():
                break
        return []

    def _layers(self, declared: Declared, version: Version) -> list[Path]:
        """Return the folders of its local layers, in their order."""
        folders: list[Path] = []
        for layer in declared.layers:
            if layer.target == KIT_LAYER and starts_itself(declared):  # the running kit replaces it
                continue
            if not layer.path.exists():
                self.tell(f"the layer {layer.path} is not there and is left out")
                continue
            content = self.builds.artifact(layer, version)
            folder = self._unpacked(content) if content.suffix == ".zip" else content
            folders.append(folder)
            extensions = folder / "extensions"
            if extensions.is_dir():
                names = ", ".join(sorted(extension.name for extension in extensions.iterdir()))
                self.tell(f"the layer {content} has extensions, which are not started here: {names}")
        return folders

    def _imported(self, declared: Declared, layers: list[Path], version: Version) -> list[Path]:
        """Return the import paths of its layers: folders of local layers, packages of known public layers."""
        paths: list[Path] = []
        for folder in layers:
            modules = folder / "python"
            # The source of a layer that `sam build` builds has modules and requirements at the top level.
            paths += [modules, modules / _site_packages(version)] if modules.is_dir() else [folder]
            if (folder / "requirements.txt").is_file():
                paths += self._requirements(folder, version)
        for arn in declared.arns:
            packages = self.packages.layer(arn, version)
            if packages is not None:
                paths.append(packages)
            elif any(name in arn for name in EXTENSIONS):
                self.tell(f"the layer {arn.partition(':layer:')[2]} is an extension, which is not started here")
            elif not any(name in arn for name in TRACING):
                self.tell(f"{declared.key}: the layer {arn} exists only on AWS and is left out")
        return paths

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


def dependencies(project: Path) -> list[str]:
    """Return the dependencies of a pyproject.toml or a Pipfile, as requirements; empty if it cannot be read."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        tables: Any = tomlkit.parse(project.read_text(encoding="utf-8")).unwrap()
    except (OSError, UnicodeDecodeError, TOMLKitError):
        return []
    if project.name == "Pipfile":
        return [*_requirements_of(tables.get("packages", {}))]
    standard = [str(requirement) for requirement in tables.get("project", {}).get("dependencies", [])]
    poetry = tables.get("tool", {}).get("poetry", {}).get("dependencies", {})
    poetry.pop("python", None)
    return standard or [*_requirements_of(poetry)]


def _requirements_of(dependencies: Mapping[str, Any]) -> Iterator[str]:
    for name, dependency in dependencies.items():
        table = dependency if isinstance(dependency, dict) else {"version": dependency}
        # Others are in a folder or in git.
        if isinstance(table.get("version"), str) and not table.get("optional"):
            extras = f"[{','.join(table['extras'])}]" if table.get("extras") else ""
            yield f"{name}{extras}{','.join(filter(None, map(_specifier, table['version'].split(','))))}"


def _specifier(version: str) -> str:
    """A version in Poetry's or Pipenv's form as a specifier: https://python-poetry.org/docs/dependency-specification"""
    version = version.strip()
    if version[:1] in "^~" and version[1:2] != "=":
        lowest = version[1:].strip()
        numbers = [int(part) for part in lowest.split(".") if part.isdigit()]
        if version[0] == "~":
            raised = 0 if len(numbers) < 2 else 1
        else:
            raised = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
        return f">={lowest},<{'.'.join(map(str, (*numbers[:raised], numbers[raised] + 1)))}"
    if version[:1].isdigit():
        return f"=={version}"
    return version.removeprefix("*")


def _site_packages(version: Version) -> Path:
    return Path("lib", f"python{dotted(version)}", "site-packages")
