"""The files that a template names, which are in its folder or below."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambda_latency.local.app.read.source import Source
from lambda_latency.template import Finding, nearest


@dataclass(frozen=True, slots=True)
class Beside:
    """The files beside a template."""

    source: Source

    @property
    def folder(self) -> Path:
        """The template's folder."""
        return self.source.path.resolve().parent

    def asset(self, metadata: Any, stored: Any) -> Path | None:
        """The local copy of an asset that CDK or the Serverless Framework uploads; None without one.

        CDK names it in the metadata; both put it beside the template, under the last part of the key in S3 (`stored`).
        """
        named = metadata.get("aws:asset:path") if isinstance(metadata, dict) else None
        key = stored.get("S3Key") if isinstance(stored, dict) else None
        last = key.rpartition("/")[2] if isinstance(key, str) else ""
        names = [named, *((last, f"asset.{last}", f"asset.{last.removesuffix('.zip')}") if last else ())]
        paths = (self.folder / one for one in names if isinstance(one, str))
        return next((path.resolve() for path in paths if path.exists()), None)

    def missing(self, what: str, path: Path, at: tuple[str, ...]) -> Finding:
        """The finding that a file or a folder, named at a path of keys, is not there."""
        folder = path.parent.resolve()
        beside = [one.name for one in folder.iterdir()] if folder.is_dir() else []
        todo = f"{nearest(path.name, beside, 'correct the name,')} or run the build that makes it in {folder}"
        return self.source.finding(at, f"{what} is not there", todo)


def is_local(written: Any) -> bool:
    """Whether a value names a file beside the template, and no address."""
    return isinstance(written, str) and "://" not in written
