"""The state of a stopped fetch, in the file `.NAME.fetch` beside its output, from which a later fetch resumes.

JSON lines: first the selection and the file of the traces, then the ids of each listed page. The newest traces are
listed first: the listing is complete down to the last `down_to`, and resumes below it.
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


@dataclass(frozen=True, slots=True)
class Stopped:
    """A stopped fetch: its selection, the listed ids, and the file of the traces fetched so far.

    `rest` is the part of the selection that is not listed yet; None if all is listed.
    """

    asked: Asked
    rest: Asked | None
    region: str
    source: str
    listed: tuple[str, ...]
    traces: Path


class Notes:
    """Records the state of a running fetch. A page is recorded before its traces are requested."""

    def __init__(self, out: Path, asked: Asked, region: str, source: str, traces: Path) -> None:
        self._path = notes_of(out)
        head = {"asked": asdict(asked), "region": region, "source": source, "traces": str(traces)}
        try:
            replace_files([(self._path, _line(head))])
        except OSError as error:
            raise FetchError(unwritable(self._path, error)) from error

    def page(self, ids: Sequence[str], down_to_ns: int | None) -> None:
        """Records listed ids. `down_to_ns`: all traces that began then or later are listed; None if unknown."""
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(_line({"ids": list(ids), "down_to": down_to_ns}))
        except OSError as error:
            raise FetchError(unwritable(self._path, error)) from error

    def remove(self) -> None:
        """Removes the file: nothing is left to resume."""
        self._path.unlink(missing_ok=True)


def read_stopped(out: Path) -> Stopped:
    """The stopped fetch into `out`. Raises UsageError if there is none."""
    path = notes_of(out)
    try:
        with path.open("rb") as file:
            head, *pages = [json.loads(line) for line in file if line.endswith(b"\n")]
        asked = Asked(**{**head["asked"], "choice": Choice(*head["asked"]["choice"])})
        region, source, traces = head["region"], head["source"], Path(head["traces"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"no stopped fetch into {out}: {path} is missing or unreadable", "remove --resume") from error
    reached = [page["down_to"] for page in pages if page["down_to"] is not None]
    until = min(reached, default=asked.until_ns)
    rest = replace(asked, until_ns=until) if until > asked.since_ns else None
    ids = tuple(dict.fromkeys(one for page in pages for one in page["ids"]))
    return Stopped(asked, rest, region, source, ids, traces if traces.exists() else out)


def kept_lines(path: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Lines and traces that are complete and not in progress; the others are fetched again."""
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
    """The path of the state file of an output."""
    return out.with_name(f".{out.name}.fetch")
