"""What a report's JSON blames: the cells of its classes, and the answer of its comparison with a baseline."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lambda_latency.latency import DEFAULT_OPTIONS, Breakdowns, against, is_read, load, read_gate, report_of
from lambda_latency.text import document
from lambda_latency.trace import AttributedSpan, LineIndex, Source, Span, find_attributes

OWN = ("own code", "cold start", "telemetry", "lambda", "unknown")  # buckets of a service's own time


class Cell(NamedTuple):
    """A caller and a part that it waits for. The name of the service that receives requests first is empty.

    The caller is None where a callee has several.
    """

    caller: str | None
    bucket: str
    name: str

    @property
    def service(self) -> str:
        """Where its time is spent: the callee, or the service itself."""
        return (self.name or self.caller or "") if self.bucket in OWN else self.name


class NamedCause(NamedTuple):
    """A service that a comparison names, the cell that shows it, and whether a test holds it."""

    service: str
    cell: Cell
    asserted: bool


class Comparison(NamedTuple):
    """The answer of a comparison: disturbed, slower, faster, shape, unsure, same or few, with its causes in order."""

    answer: str
    how: str | None
    causes: tuple[NamedCause, ...]

    @property
    def asserted(self) -> bool:
        """Whether it says that something became slower, and names what."""
        return self.answer == "slower" and self.blames

    @property
    def blames(self) -> bool:
        """Whether it says that something became slower, or calls others, and names what."""
        return self.answer in ("slower", "shape") and bool(self.causes) and self.causes[0].asserted


class Gate(NamedTuple):
    """The exit status of a report with one condition, and the route and part that the condition names."""

    status: int
    route: str
    part: str


def classes(report: Mapping[str, Any]) -> list[Cell]:
    """The cells that the report blames for slow requests, the largest first; those of a set follow each other."""
    several = {"caller": None}  # of several callers of one callee none is named
    cells = [
        [group | several if len(group.get("callers", ())) > 1 else group, *group.get("with", ())]
        for group in report["classes"]
    ]
    return [_cell(cell) for of_group in cells for cell in of_group]


def suspects(report: Mapping[str, Any]) -> list[str]:
    """The services that a report without a class names as candidates."""
    return [suspect["service"] for suspect in report["verdict"].get("suspects", ())]


def comparison(report: Mapping[str, Any]) -> Comparison:
    """The answer of a report with a baseline."""
    differences = report["against"]
    causes = [NamedCause(cause["service"], _cell(cause["cell"]), cause["asserted"]) for cause in differences["causes"]]
    return Comparison(differences["answer"], differences["how"], tuple(causes))


def gate(report: Mapping[str, Any]) -> Gate:
    """How the first condition of the report was judged: exit status 3 failed, 5 unsure, 6 disturbed, else 0."""
    condition = report["gates"][0]
    statuses = {"failed": 3, "unsure": 5, "disturbed": 6}
    status = next((status for key, status in statuses.items() if condition.get(key)), 0)
    return Gate(status, condition.get("route") or "", condition.get("part") or "")


def _cell(edge: Mapping[str, Any]) -> Cell:
    return Cell(edge.get("caller"), edge["bucket"], edge["name"] or "")


def read(path: Path) -> Breakdowns:
    """The requests of a file. Raises `ValueError` if it has none."""
    problems: list[Any] = []
    accounts = load([Source(path.name, path)], problems, processes=1)
    if not accounts:
        raise ValueError(f"{path} must have requests, got none: {problems[:1]}")
    return accounts


def report_on(path: Path) -> dict[str, Any]:
    """The report on a file, whose spans are read again for what slow requests depend on."""
    sources, problems, index = [Source(path.name, path)], list[Any](), LineIndex()
    accounts = load(sources, problems, index=index, processes=1)
    owners = DEFAULT_OPTIONS.owners.settle(accounts)

    def spans(ids: Collection[str]) -> Iterable[Span | AttributedSpan]:
        return find_attributes(sources, ids, is_read, index)

    report = report_of(accounts, lambda _: {}, owners=owners, spans=spans)
    return document(report, command="", version="")


def report(current: Breakdowns, baseline: Breakdowns | None = None, gates: Sequence[str] = ()) -> dict[str, Any]:
    """The report on some requests, compared with those of a baseline, if there is one, and judged by gates."""
    all_accounts = [current] if baseline is None else [current, baseline]
    owners = DEFAULT_OPTIONS.owners.settle(*all_accounts)
    compared = against(current, baseline, ["baseline"]) if baseline is not None else None
    analysis = report_of(current, lambda _: {}, against=compared, owners=owners, baseline=baseline)
    return document(analysis, command="", version="", judged=[read_gate(gate).judge(analysis) for gate in gates])
