"""Runs a fetch for the command line: its trace file, its messages, and its exit status."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.fetch.asked import Asked, Place, iso
from lambda_latency.fetch.both import Both
from lambda_latency.fetch.clients import Clients
from lambda_latency.fetch.destination import Destination, destination
from lambda_latency.fetch.errors import FetchError, NothingFoundError, UsageError
from lambda_latency.fetch.estimate import estimate, search_text
from lambda_latency.fetch.progress import Meter
from lambda_latency.fetch.refusals import refusal, unreachable
from lambda_latency.fetch.run import WAITS_S, Fetched, run
from lambda_latency.fetch.scanning import GB, billed, ingested
from lambda_latency.fetch.search import GROUP, Search
from lambda_latency.fetch.stopped import Notes, Stopped
from lambda_latency.fetch.stores import XRay
from lambda_latency.fetch.traffic import Counted, count_requests
from lambda_latency.fetch.writer import Writer
from lambda_latency.prices import read_prices
from lambda_latency.trace import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from lambda_latency.fetch.stores import Store

FINE, SOMETHING_SKIPPED, INTERRUPTED = 0, 4, 130
XRAY, SEARCH, BOTH = "x-ray", "transaction-search", "both"  # what `--source` may be


# The console's host by prefix of the region; all others use the standard one.
CONSOLES = {"cn-": "console.amazonaws.cn", "us-gov-": "console.amazonaws-us-gov.com"}


def console(region: str) -> str:
    """The URL of a region's traces in CloudWatch's console, without the trace id at its end."""
    host = next((host for start, host in CONSOLES.items() if region.startswith(start)), "console.aws.amazon.com")
    return f"https://{region}.{host}/cloudwatch/home?region={region}#xray:traces/"


@dataclass(frozen=True, slots=True)
class Result:
    """The traces that were fetched, and the messages about them."""

    path: Path
    asked: Asked
    region: str
    fetched: Fetched
    store: str = "X-Ray"
    unknown: str = ""  # why the account's trace destination is unknown; empty if it is known
    resumable: bool = False  # an early end leaves the notes that `resume` reads

    @property
    def source(self) -> str:
        """The name of the source in a report."""
        return f"{self.store} {self.region}".rstrip()

    @property
    def problems(self) -> list[Problem]:
        """The traces that are missing or incomplete in the file."""
        told = self.fetched
        skipped: list[str] = []
        counted: list[str] = []
        if isinstance(told.ended, FetchError):
            skipped.append(f"the fetch ended early: {told.ended.what}")
        elif told.ended is not None:
            skipped.append("the fetch was interrupted by Ctrl-C")
        if told.missing:
            skipped.append(f"{_traces(told.missing)} listed but not returned: run the command again")
        if told.in_progress:
            counted.append(f"{_traces(told.in_progress)} still in progress: open segments end with their parent")
        if self.unknown:
            counted.append(
                f"{self.unknown}: only X-Ray's own traces were read, by default 1 % of all with Transaction Search"
            )
        if told.too_long:
            counted.append(f"{_traces(told.too_long)} larger than X-Ray's limit: segments are missing")
        return [
            *(Problem(self.source, None, reason, "skipped") for reason in skipped),
            *(Problem(self.source, None, reason, "counted") for reason in counted),
        ]

    @property
    def sentence(self) -> str:
        """The number of traces, their time and place."""
        where = f"{self.store} in {self.region}"
        if self.asked.trace_id is not None:
            return f"Fetched from {where}."
        told = self.fetched
        some = f"the newest {_traces(told.traces)}" if told.cut else _traces(told.traces)
        if told.ended is not None:
            some = f"{told.traces:,} of the {_traces(told.listed)} listed before the fetch was stopped,"
        match = f", those that match {self.asked.expression}" if self.asked.expression else ""
        when = f"from {iso(self.asked.since_ns)} to {iso(self.asked.until_ns)}"
        scanned = f" Logs Insights scanned {billed(told.billed, self.region)}." if told.billed else ""
        return f"Fetched from {where}: {some} {when}{match}.{scanned}"

    @property
    def told(self) -> str:
        """The output of `fetch`."""
        told = self.fetched
        calls = f"{told.summary_calls + told.batch_calls:,} calls, {told.seconds:,.0f} s"
        lines = [f"{self.path}: {_traces(told.traces)} ({calls}). {self.sentence}"]
        lines += [f"{one.effect}: {one.reason}" for one in self.problems]
        if self.resumable and (told.ended is not None or told.missing):
            lines.append(f"Resume: lambda-latency fetch --resume --out {self.path}")
        return "\n".join([*lines, f"Report on them: lambda-latency report {self.path}"])

    @property
    def status(self) -> int:
        """The exit status of the fetch alone."""
        if isinstance(self.fetched.ended, KeyboardInterrupt):
            return INTERRUPTED
        return SOMETHING_SKIPPED if any(one.effect == "skipped" for one in self.problems) else FINE


class Account:
    """One account and region: estimates, fetches and counts. Raises FetchError if AWS does not answer."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._regions: list[str] = []
        try:
            self._clients = Clients(place)
            self._regions = self._clients.regions
            self._xray: Any = self._clients.make("xray")
            self._kept: Destination | None = None
        except Exception as error:
            raise self._told(error, None) from error
        try:
            self._clients.knock(self._xray)
        except OSError as error:
            raise unreachable(error, self._xray.meta.endpoint_url, place, self._regions) from error
        self.region: str = self._xray.meta.region_name

    def estimate(self, asked: Asked, source: str = "") -> str:
        """The estimate of `--dry-run` as text; `source` as in `fetch`."""
        try:
            source = source or (SEARCH if self._destination().search else XRAY)
            text = ""
            if source in (SEARCH, BOTH):
                text = search_text(self._clients.make("cloudwatch"), asked, self.region)
            return text if source == SEARCH else text + estimate(self._xray, asked).text(asked, self.region)
        except Exception as error:
            raise self._told(error, asked) from error

    def price(self, asked: Asked) -> float:
        """US dollars that AWS charges for the fetch, by its estimate, beyond what is free each month."""
        try:
            if not self._destination().search:
                return estimate(self._xray, asked).dollars(self.region)
            start_s, end_s = asked.since_ns // 10**9, -(-asked.until_ns // 10**9)
            scanned = ingested(self._clients.make("cloudwatch"), GROUP, start_s, end_s)
            return scanned / GB * float(read_prices(self.region).logs_scanned_gb)
        except Exception as error:
            raise self._told(error, asked) from error

    def fetch(
        self,
        asked: Asked,
        path: Path,
        err: TextIO,
        *,
        source: str = "",
        notes: bool = False,
        waits_s: Sequence[float] = WAITS_S,
    ) -> Result:
        """Fetches the traces into a file. Raises FetchError only if no trace came.

        `source` is `x-ray`, `transaction-search` or `both`; empty selects the account's trace destination. `notes`: a
        stopped fetch leaves beside the file the state that `resume` reads. `waits_s` are the seconds before each
        further request for traces that were not ready.
        """
        return self._run(asked, path, err, source=source, notes=notes, waits_s=waits_s)

    def resume(self, stopped: Stopped, path: Path, err: TextIO) -> Result:
        """Fetches the missing traces of a stopped fetch. Raises UsageError if that fetch was of another region."""
        if stopped.region != self.region:
            raise UsageError(
                f"the fetch into {path} used region {stopped.region}, not {self.region}", f"--region {stopped.region}"
            )
        return self._run(stopped.asked, path, err, source=stopped.source, notes=True, stopped=stopped)

    def _run(
        self,
        asked: Asked,
        path: Path,
        err: TextIO,
        *,
        source: str,
        notes: bool,
        stopped: Stopped | None = None,
        waits_s: Sequence[float] = WAITS_S,
    ) -> Result:
        try:
            kept = self._destination() if not source else Destination(search=source == SEARCH)
            store = self._store(source or (SEARCH if kept.search else XRAY), asked)
        except Exception as error:
            raise self._told(error, asked) from error
        meter = Meter(err)
        writer = Writer(path, stopped.traces if stopped is not None else None)
        noted = Notes(path, asked, self.region, source, writer.aside) if notes and writer.aside != path else None
        if stopped is not None and stopped.traces not in (path, writer.aside):
            stopped.traces.unlink(missing_ok=True)  # the new file contains its traces
        try:
            told = run(
                store,
                asked,
                writer,
                meter,
                refusal=partial(self._refusal, asked),
                stopped=stopped,
                notes=noted,
                waits_s=waits_s,
            )
        finally:
            meter.close()
        if noted is not None and (not told.traces or (told.ended is None and not told.missing)):
            noted.remove()
        if not told.traces:
            if isinstance(told.ended, KeyboardInterrupt):
                raise told.ended
            raise told.ended or _nothing(asked, told, f"{store.name} in {self.region}")
        return Result(path, asked, self.region, told, store.name, kept.unknown, resumable=noted is not None)

    def count(self, result: Result) -> Counted:
        """The requests that API Gateway counted at the traced stages. Raises FetchError if the count is unavailable."""
        stages = sorted(filter(None, result.fetched.stages))
        asked = result.asked
        try:
            cloudwatch: Any = self._clients.make("cloudwatch")
            return count_requests(cloudwatch, stages, asked.since_ns, asked.until_ns)
        except Exception as error:
            raise self._told(error, None) from error

    def _store(self, source: str, asked: Asked) -> Store:
        xray = XRay(self._xray)
        if source == XRAY:
            return xray
        search = Search(self._clients.make, most_billed=asked.most_billed, whole=asked)
        return search if source == SEARCH else Both(search, xray)

    def _destination(self) -> Destination:
        self._kept = self._kept or destination(self._xray)
        return self._kept

    def _refusal(self, asked: Asked | None, error: Exception) -> FetchError | None:
        expression = asked.expression if asked is not None else None
        return refusal(error, self._place, expression=expression, regions=self._regions)

    def _told(self, error: Exception, asked: Asked | None) -> Exception:
        """The error with a readable message, or the error itself if it is a bug in this package."""
        if isinstance(error, FetchError):
            return error
        return self._refusal(asked, error) or error


def _nothing(asked: Asked, told: Fetched, where: str) -> FetchError:
    """The possible reasons for no traces, the most likely first."""
    if told.missing and asked.trace_id is None:
        because = f": {told.because}" if told.because else ""
        return FetchError(
            f"{where} listed {_traces(told.missing)} and returned none of them{because}", "try again later"
        )
    if asked.trace_id is not None:
        return NothingFoundError(
            f"{where} has no trace {asked.trace_id}",
            "check the id and the region (--region); traces are kept for 30 days",
        )
    when = f"from {iso(asked.since_ns)} to {iso(asked.until_ns)}"
    if asked.expression is not None and told.scanned:
        return NothingFoundError(
            f"none of the {_traces(told.scanned)} {when} matches {asked.expression}",
            "choose a longer period (--since 24h) or another filter",
        )
    return NothingFoundError(
        f"{where} has no trace {when}",
        "check the region (--region), the time (--since 24h), and that requests are sampled: `Tracing: Active` on a "
        "function or `TracingEnabled: true` on an API, and no sampling rule of 0",
    )


def _traces(count: int) -> str:
    return f"{count:,} trace" if count == 1 else f"{count:,} traces"
