"""What a stopped fetch leaves beside its file, so that another goes on where it was: `.NAME.fetch`.

Lines of JSON: first the selection and the file in which the traces come, then the ids of each page that was listed. The
listing begins with the newest: it is complete down to the last `down_to`, and goes on below.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lambda_latency.fetch.asked import Asked
from lambda_latency.fetch.batches import is_in_progress
from lambda_latency.fetch.errors import FetchError, UsageError
from lambda_latency.fetch.expression import Choice
from lambda_latency.files import replace_files, unwritable

__all__ = ["Notes", "Stopped", "kept_lines", "read_stopped"]


@dataclass(frozen=True, slots=True)
class Stopped:
    """A fetch that was stopped: its selection, the ids that it had listed, and the file with what had come.

    `rest` is the selection that was not listed yet; None where all was.
    """

    asked: Asked
    rest: Asked | None
    region: str
    source: str
    listed: tuple[str, ...]
    traces: Path


class Notes:
    """Written while a fetch runs. A page is noted before its traces are asked for."""

    def __init__(self, out: Path, asked: Asked, region: str, source: str, traces: Path) -> None:
        self._path = notes_of(out)
        head = {"asked": asdict(asked), "region": region, "source": source, "traces": str(traces)}
        try:
            replace_files([(self._path, _line(head))])
        except OSError as error:
            raise FetchError(unwritable(self._path, error)) from error

    def page(self, ids: Sequence[str], down_to_ns: int | None) -> None:
        """These are listed; where it is known, all that began at `down_to_ns` or later are."""
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(_line({"ids": list(ids), "down_to": down_to_ns}))
        except OSError as error:
            raise FetchError(unwritable(self._path, error)) from error

    def remove(self) -> None:
        """Nothing is left to go on with."""
        self._path.unlink(missing_ok=True)


def read_stopped(out: Path) -> Stopped:
    """The fetch into `out` that was stopped. Raises UsageError where there is none."""
    path = notes_of(out)
    try:
        with path.open("rb") as file:
            head, *pages = [json.loads(line) for line in file if line.endswith(b"\n")]
        asked = Asked(**{**head["asked"], "choice": Choice(*head["asked"]["choice"])})
        region, source, traces = head["region"], head["source"], Path(head["traces"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"no fetch into {out} was stopped, as far as {path} tells", "leave --resume out") from error
    reached = [page["down_to"] for page in pages if page["down_to"] is not None]
    until = min(reached, default=asked.until_ns)
    rest = replace(asked, until_ns=until) if until > asked.since_ns else None
    ids = tuple(dict.fromkeys(one for page in pages for one in page["ids"]))
    return Stopped(asked, rest, region, source, ids, traces if traces.exists() else out)


def kept_lines(path: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Lines and traces that are there whole and were not in progress; the others are fetched again."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                trace = json.loads(line)
                if not is_in_progress(trace):
                    yield line, trace


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":")) + "\n"


def notes_of(out: Path) -> Path:
    """The file beside."""
    return out.with_name(f".{out.name}.fetch")
