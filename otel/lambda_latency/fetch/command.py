"""Runs a fetch for the command line: its trace file, its messages, and its exit status."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from lambda_latency.fetch.clients import Clients
from lambda_latency.fetch.errors import FetchError, NothingFoundError, SelectionError
from lambda_latency.fetch.estimate import estimate, search_text
from lambda_latency.fetch.progress import Meter
from lambda_latency.fetch.refusals import DENIED, FAILURES, THROTTLED, refusal, rejects_credentials, unreachable
from lambda_latency.fetch.run import WAITS_S, Fetched, FetchRun
from lambda_latency.fetch.search import GROUP, Both, Search
from lambda_latency.fetch.selection import Place, Selection
from lambda_latency.fetch.stores import TraceStore, XRay
from lambda_latency.fetch.traffic import GB, Counted, billed, count_requests, ingested
from lambda_latency.fetch.writer import Notes, Stopped, Writer
from lambda_latency.prices import read_prices
from lambda_latency.trace import Problem

FINE, SOMETHING_SKIPPED, INTERRUPTED = 0, 4, 130
XRAY, SEARCH, BOTH = "x-ray", "transaction-search", "both"  # what `--source` may be


# The console's host by prefix of the region; all others use the standard one.
CONSOLES = {"cn-": "console.amazonaws.cn", "us-gov-": "console.amazonaws-us-gov.com"}


def console(region: str) -> str:
    """Return the URL of a region's traces in CloudWatch's console, without the trace id at its end."""
    hosts = [host for prefix, host in CONSOLES.items() if region.startswith(prefix)]
    host = hosts[0] if hosts else "console.aws.amazon.com"
    return f"https://{region}.{host}/cloudwatch/home?region={region}#xray:traces/"


class Destination(NamedTuple):
    """`search`: Transaction Search is on. `unknown`: why the destination could not be read, or empty."""

    search: bool
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """The traces that were fetched, and the messages about them."""

    path: Path
    selection: Selection
    region: str
    fetched: Fetched
    store: str = "X-Ray"
    unknown: str = ""  # why the trace destination is unknown
    resumable: bool = False  # there are notes for `resume`

    @property
    def source(self) -> str:
        """Return the name of the source in a report."""
        return f"{self.store} {self.region}".rstrip()

    @property
    def problems(self) -> list[Problem]:
        """Return the traces that are missing or incomplete in the file."""
        fetched = self.fetched
        skipped: list[str] = []
        counted: list[str] = []
        if isinstance(fetched.ended, FetchError):
            skipped.append(f"the fetch ended early: {fetched.ended.what}")
        elif fetched.ended is not None:
            skipped.append("the fetch was interrupted by Ctrl-C")
        if fetched.missing:
            skipped.append(f"{_traces(fetched.missing)} listed but not returned: run the command again")
        if fetched.in_progress:
            counted.append(f"{_traces(fetched.in_progress)} still in progress: open segments end with their parent")
        if self.unknown:
            skipped.append(
                f"{self.unknown}: only X-Ray's own traces were read, by default 1 % of all with Transaction Search"
            )
        if fetched.too_long:
            counted.append(f"{_traces(fetched.too_long)} larger than X-Ray's limit: segments are missing")
        return [
            *(Problem(self.source, None, reason, "skipped") for reason in skipped),
            *(Problem(self.source, None, reason, "counted") for reason in counted),
        ]

    @property
    def sentence(self) -> str:
        """Say how many traces were fetched, of which time and from where."""
        where = f"{self.store} in {self.region}"
        if self.selection.trace_id is not None:
            return f"Fetched from {where}."
        fetched = self.fetched
        count = f"the newest {_traces(fetched.traces)}" if fetched.cut else _traces(fetched.traces)
        if fetched.ended is not None:
            count = f"{fetched.traces:,} of the {_traces(fetched.listed)} listed before the fetch was stopped,"
        match = f", those that match {self.selection.expression}" if self.selection.expression else ""
        scanned = f" Logs Insights scanned {billed(fetched.billed, self.region)}." if fetched.billed else ""
        return f"Fetched from {where}: {count} from {self.selection.period}{match}.{scanned}"

    @property
    def text(self) -> str:
        """Return the output of `fetch`."""
        fetched = self.fetched
        calls = f"{fetched.summary_calls + fetched.batch_calls:,} calls, {fetched.seconds:,.0f} s"
        lines = [f"{self.path}: {_traces(fetched.traces)} ({calls}). {self.sentence}"]
        lines += [f"{problem.effect}: {problem.reason}" for problem in self.problems]
        if self.resumable and (fetched.ended is not None or fetched.missing):
            lines.append(f"Resume: lambda-latency fetch --resume --out {self.path}")
        return "\n".join([*lines, f"Report on them: lambda-latency report {self.path}"])

    @property
    def status(self) -> int:
        """Return the exit status of the fetch alone."""
        if isinstance(self.fetched.ended, KeyboardInterrupt):
            return INTERRUPTED
        return SOMETHING_SKIPPED if any(problem.effect == "skipped" for problem in self.problems) else FINE


class Account:
    """One account and region: estimates, fetches and counts. Raises FetchError if AWS does not answer."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._regions: list[str] = []
        try:
            self._clients = Clients(place)
            self._regions = self._clients.regions
            self._xray: Any = self._clients.make("xray")
            self._trace_destination: Destination | None = None
        except Exception as error:
            raise self._readable(error, None) from error
        try:
            self._clients.knock(self._xray)
        except OSError as error:
            raise unreachable(error, self._xray.meta.endpoint_url, place, self._regions) from error
        self.region: str = self._xray.meta.region_name
        # An emulator of X-Ray has no console. The last letters are those of China's partition.
        self.is_aws: bool = self._xray.meta.endpoint_url.removesuffix(".cn").endswith(".amazonaws.com")

    def estimate(self, selection: Selection, source: str = "") -> str:
        """Return the estimate of `--dry-run` as text; `source` as in `fetch`."""
        try:
            source = source or (SEARCH if self._destination().search else XRAY)
            text = ""
            if source in (SEARCH, BOTH):
                text = search_text(self._clients.make("cloudwatch"), selection, self.region)
            if source != SEARCH:
                text += estimate(self._xray, selection).text(selection, self.region)
            return text
        except Exception as error:
            raise self._readable(error, selection) from error

    def price(self, selection: Selection) -> float:
        """Estimate the US dollars that AWS charges for the fetch, beyond what is free each month."""
        try:
            if not self._destination().search:
                return estimate(self._xray, selection).dollars(self.region)
            start_s, end_s = selection.since_ns // 10**9, -(-selection.until_ns // 10**9)
            scanned = ingested(self._clients.make("cloudwatch"), GROUP, start_s, end_s)
            return scanned / GB * float(read_prices(self.region).logs_scanned_gb)
        except Exception as error:
            raise self._readable(error, selection) from error

    def fetch(
        self,
        selection: Selection,
        path: Path,
        err: TextIO,
        *,
        source: str = "",
        notes: bool = False,
        waits_s: Sequence[float] = WAITS_S,
        stopped: Stopped | None = None,
    ) -> Result:
        """Fetch the traces into a file. Raises FetchError only if no trace came.

        `source` is `x-ray`, `transaction-search` or `both`; empty selects the account's trace destination. `notes`: a
        stopped fetch leaves with the file the state that `resume` reads. `waits_s` are the seconds before each
        further request for traces that were not ready. `stopped` is the fetch that this one continues.
        """
        store, unknown = self._store(source, selection)
        meter = Meter(err)
        writer = Writer(path, stopped.traces if stopped is not None else None)
        lines_path = writer.temporary_path
        state = Notes(path, selection, self.region, source, lines_path) if notes and lines_path != path else None
        if stopped is not None and stopped.traces not in (path, lines_path):
            stopped.traces.unlink(missing_ok=True)  # its traces are in the new file
        try:
            refusal = partial(self._refusal, selection)
            fetch = FetchRun(store, selection, writer, meter, refusal, stopped=stopped, notes=state, waits_s=waits_s)
            fetched = fetch.run()
        finally:
            meter.close()
        is_complete = fetched.ended is None and not fetched.missing
        if state is not None and (is_complete or not fetched.traces):
            state.remove()
        if not fetched.traces:
            raise fetched.ended or _nothing(selection, fetched, f"{store.name} in {self.region}")
        return Result(path, selection, self.region, fetched, store.name, unknown, resumable=state is not None)

    def resume(self, stopped: Stopped, path: Path, err: TextIO) -> Result:
        """Fetch the missing traces of a stopped fetch. Raises SelectionError if that fetch was of another region."""
        if stopped.region != self.region:
            message = f"the fetch into {path} used region {stopped.region}, not {self.region}"
            raise SelectionError(message, f"--region {stopped.region}")
        return self.fetch(stopped.selection, path, err, source=stopped.source, notes=True, stopped=stopped)

    def count(self, result: Result) -> Counted:
        """Return the requests that API Gateway counted at the traced stages. Raises FetchError if it is unavailable."""
        stages = sorted(filter(None, result.fetched.stages))
        selection = result.selection
        try:
            cloudwatch: Any = self._clients.make("cloudwatch")
            return count_requests(cloudwatch, stages, selection.since_ns, selection.until_ns)
        except Exception as error:
            raise self._readable(error, None) from error

    def _store(self, source: str, selection: Selection) -> tuple[TraceStore, str]:
        """Return the store of a source, and why the trace destination is unknown, if it is."""
        try:
            target = self._destination() if not source else Destination(search=source == SEARCH)
            xray = XRay(self._xray)
            if source == XRAY or (not source and not target.search):
                return xray, target.unknown
            search = Search(self._clients.make, selection)
            return Both(search, xray) if source == BOTH else search, target.unknown
        except Exception as error:
            raise self._readable(error, selection) from error

    def _destination(self) -> Destination:
        self._trace_destination = self._trace_destination or destination(self._xray)
        return self._trace_destination

    def _refusal(self, selection: Selection | None, error: Exception) -> FetchError | None:
        expression = selection.expression if selection is not None else None
        return refusal(error, self._place, expression=expression, regions=self._regions)

    def _readable(self, error: Exception, selection: Selection | None) -> Exception:
        """Return the error with a readable message, or the error itself if it is a bug in this package."""
        if isinstance(error, FetchError):
            return error
        return self._refusal(selection, error) or error


def _nothing(selection: Selection, fetched: Fetched, where: str) -> FetchError:
    """Return the error for no traces, with the most likely reason."""
    if fetched.missing and selection.trace_id is None:
        because = f": {fetched.missing_reason}" if fetched.missing_reason else ""
        message = f"{where} listed {_traces(fetched.missing)} and returned none of them{because}"
        return FetchError(message, "try again later")
    if selection.trace_id is not None:
        return NothingFoundError(
            f"{where} has no trace {selection.trace_id}",
            "check the id, the region (--region), and that the request was sampled; traces are kept for 30 days",
        )
    when = f"from {selection.period}"
    if selection.expression is not None and fetched.scanned:
        return NothingFoundError(
            f"none of the {_traces(fetched.scanned)} {when} matches {selection.expression}",
            "choose a longer period (--since 24h) or another filter",
        )
    return NothingFoundError(
        f"{where} has no trace {when}",
        "check the region (--region), the time (--since 24h), and that requests are sampled: `Tracing: Active` on a "
        "function or `TracingEnabled: true` on an API, and no sampling rule of 0",
    )


def _traces(count: int) -> str:
    return f"{count:,} trace" if count == 1 else f"{count:,} traces"


def destination(xray: Any) -> Destination:
    """Read the account's trace destination. Raises boto3's error if AWS rejects the credentials or does not answer.

    Without the permission to read it, the destination is X-Ray's API. An emulator may lack this operation.
    """
    from botocore.exceptions import ClientError

    try:
        answer = xray.get_trace_segment_destination()
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in DENIED:
            return Destination(search=False, unknown="AWS does not allow GetTraceSegmentDestination")
        if rejects_credentials(error):
            raise
        if code in THROTTLED or code in FAILURES:
            return Destination(search=False, unknown=f"AWS refuses GetTraceSegmentDestination ({code})")
        return Destination(search=False)
    return Destination(search=answer.get("Destination") == "CloudWatchLogs")


def iam_policy() -> str:
    """Return an IAM policy as JSON. Only queries can be restricted to a resource (the log group).

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html,
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html and
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
    """
    statements = [
        ("ReadTraces", ["xray:BatchGetTraces", "xray:GetTraceSegmentDestination", "xray:GetTraceSummaries"]),
        ("ReadTransactionSearch", ["xray:ListRetrievedTraces", "xray:StartTraceRetrieval"]),
        ("CountRequests", ["cloudwatch:GetMetricData", "cloudwatch:ListMetrics"]),
    ]
    anywhere: list[dict[str, object]] = [
        {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": "*"} for sid, actions in statements
    ]
    spans: dict[str, object] = {
        "Sid": "QuerySpans",
        "Effect": "Allow",
        "Action": ["logs:StartQuery"],
        "Resource": f"arn:*:logs:*:*:log-group:{GROUP}:*",
    }
    results = {"Sid": "ReadAnswers", "Effect": "Allow", "Action": ["logs:GetQueryResults", "logs:StopQuery"]}
    document = {"Version": "2012-10-17", "Statement": [*anywhere, spans, {**results, "Resource": "*"}]}
    return json.dumps(document, indent=2)
