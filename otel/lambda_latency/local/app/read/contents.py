"""The code of a template's functions and layers: folders and archives beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambda_latency.local.app.read.adjacent_files import Beside, is_local
from lambda_latency.local.app.read.parameters import ACCOUNT, REGION
from lambda_latency.pythons import version_of
from lambda_latency.template import Finding

BUCKET = "lambda-latency"  # a placeholder for local code; the key is the logical id
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/local:latest"  # a placeholder for an image that `sam build` makes
LAYERS = {
    "AWS::Serverless::LayerVersion": ("ContentUri", "Bucket", "Key"),
    "AWS::Lambda::LayerVersion": ("Content", "S3Bucket", "S3Key"),
}


@dataclass(frozen=True, slots=True)
class Content:
    """A folder or an archive of a function or a layer.

    `target` is X of the make target `build-X`, or empty. make reads `makefile` and runs in `working`; by default both
    are those of `path`. `is_built` says that `sam build` has made it, with the packages.
    """

    path: Path
    target: str = ""
    makefile: Path | None = None
    working: Path | None = None
    is_built: bool = False


@dataclass(slots=True)
class Contents:
    """The contents by logical id, and the findings about functions whose code is not there.

    `default` has the CodeUri and the Runtime of functions that name none, from the section Globals.
    """

    beside: Beside
    default: Mapping[str, Any]
    codes: dict[str, Content]
    layers: dict[str, Content]
    missing: dict[str, Finding]

    def record(self, name: str, resource: dict[str, Any]) -> None:
        """Record the content of a function or a layer, and replace its location by a placeholder."""
        kind, properties = resource.get("Type"), resource["Properties"]
        metadata = resource.get("Metadata") or {}
        if kind == "AWS::Serverless::Function":
            self._code(name, properties, metadata)
        elif kind == "AWS::Lambda::Function":
            self._plain_code(name, properties, metadata)
        elif kind in LAYERS:
            self._layer(name, properties, metadata, LAYERS[kind])

    def _code(self, name: str, properties: dict[str, Any], metadata: Mapping[str, Any]) -> None:
        if properties.get("PackageType") == "Image":
            properties.setdefault("ImageUri", IMAGE)
        if "InlineCode" in properties or "ImageUri" in properties:
            return
        written = properties.get("CodeUri", self.default["CodeUri"])
        if is_local(written):
            path = self._folder(name, written, "CodeUri", properties.get("Runtime", self.default["Runtime"]))
            self.codes[name] = self._content(name, path, metadata)
            written = {"Bucket": BUCKET, "Key": name}
        properties["CodeUri"] = written

    def _plain_code(self, name: str, properties: dict[str, Any], metadata: Mapping[str, Any]) -> None:
        written = properties.get("Code")
        if isinstance(written, str):
            path: Path | None = self._folder(name, written, "Code", properties.get("Runtime"))
        else:
            path = self.beside.asset(metadata, written)
        if path is not None:
            self.codes[name] = Content(path)
            properties["Code"] = {"S3Bucket": BUCKET, "S3Key": name}

    def _layer(
        self, name: str, properties: dict[str, Any], metadata: Mapping[str, Any], keys: tuple[str, str, str]
    ) -> None:
        key, bucket, place = keys
        written = properties.get(key)
        if is_local(written):
            self.layers[name] = self._content(name, (self.beside.folder / str(written)).resolve(), metadata)
        elif (path := self.beside.asset(metadata, written)) is not None:
            self.layers[name] = Content(path)
        else:
            return
        properties[key] = {bucket: BUCKET, place: name}

    def _content(self, name: str, path: Path, metadata: Mapping[str, Any]) -> Content:
        """The content of a resource, with its make target if its Makefile builds it."""
        if metadata.get("BuildMethod") != "makefile":
            return Content(path)
        context, working = metadata.get("ContextPath"), metadata.get("WorkingDirectory")
        folder = self.beside.folder
        return Content(
            path,
            name,
            makefile=(folder / context / "Makefile").resolve() if isinstance(context, str) else None,
            working=(folder / working).resolve() if isinstance(working, str) else None,
        )

    def _folder(self, name: str, written: str, key: str, runtime: Any) -> Path:
        """The location of a function's code, given by the property `key`."""
        path = self.beside.folder / written
        # A function of another language does not run here: its build is not needed.
        needed = not isinstance(runtime, str) or version_of(runtime) is not None
        if needed and not path.exists():
            at = ("Resources", name, "Properties", key)
            self.missing[name] = self.beside.missing(f"{key} {written!r}", path, at)
        return path.resolve()
