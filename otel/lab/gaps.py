"""What fills a gap is planted: does a report name it, and advise about it, where the code around only waits?

Consumers behind reply queues, waits between attempts, cold starts of invoked functions, DNS and TLS, and one of several
parallel shards are planted in 200 requests of one route each, and judged alone and against requests without them.

Usual time: 10 seconds.
"""

import random
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from lambda_latency.latency import Report, against, breakdown_of, report_of
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.text import Style
from lambda_latency.text.prose import cards, flat
from lambda_latency.trace import Event, SpanKind, Status, Trace
from tests.trace.build import MS, T0, Node, later, node, tree

REQUESTS, SLOW_EVERY, GAP_MS = 200, 8, 500
LEAST_RIGHT = 18
STYLE = Style(width=160, unicode=False, thin=False)
CLIENT, SERVER, INTERNAL = SpanKind.CLIENT, SpanKind.SERVER, SpanKind.INTERNAL
Request: TypeAlias = Callable[[float], Node]  # the spans of a request whose gap has so many milliseconds


@dataclass(frozen=True, slots=True)
class Gap:
    """What is planted: the spans of a request of `ms`, what a report must say of it, and what it must advise."""

    name: str
    request: Request
    says: str
    advises: str


def main(parser: ArgumentParser) -> int:
    """Plant, report, compare; status 1 if fewer are right than should be."""
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th case (1)")
    parser.add_argument("--all", action="store_true", help="print the whole findings, of right ones too")
    options = parser.parse_args()
    cases = CASES[:: options.every]
    right = 0
    for number, case in enumerate(cases):
        plain, compared = report_texts(case, number)
        is_right = all(is_as_planted(case, *texts) for texts in (plain, compared))
        right += is_right
        print(f"{'ok ' if is_right else 'NOT'} {case.name}", flush=True)
        for said, steps in (plain, compared) if options.all or not is_right else ():
            print(f"    {said}\n    Next: {' '.join(steps)}")
    print(f"{right} of {len(cases)} as they should be")
    return int(right * len(CASES) < LEAST_RIGHT * len(cases))


def is_as_planted(case: Gap, said: str, steps: list[str]) -> bool:
    """Whether the findings and the first step are about what fills the gap, and none is about processors."""
    advice = " ".join(steps)
    return case.says in said and case.advises in advice and "more CPU" not in advice and "Profile" not in advice


def report_texts(case: Gap, seed: int) -> list[tuple[str, list[str]]]:
    """The first finding and its steps, of a report alone and against a baseline without the gap."""
    slow, typical = requests_of(case, seed, SLOW_EVERY), requests_of(case, seed + 1000, 0)
    by_id = {trace.trace_id: trace for trace in (*slow, *typical)}
    current, baseline = (Breakdowns(map(breakdown_of, traces)) for traces in (slow, typical))

    def report(*, compare: bool) -> Report:
        return report_of(
            current,
            lambda ids: {trace_id: by_id[trace_id] for trace_id in ids},
            against=against(current, baseline) if compare else None,
            baseline=baseline if compare else None,
        )

    return [_finding(report(compare=compare)) for compare in (False, True)]


def _finding(report: Report) -> tuple[str, list[str]]:
    """All sentences of the findings, and the steps of the first."""
    findings = cards(report, STYLE)
    texts = [flat(pieces) for card in findings for pieces in (card.sentence, *card.evidence)]
    return " ".join(texts), list(findings[0].steps)


def requests_of(case: Gap, seed: int, slow_every: int) -> list[Trace]:
    """Requests with times that vary; each so many-th is slow, none if it is 0."""
    draw = random.Random(seed)  # noqa: S311 - repeatable
    traces = []
    for number in range(REQUESTS):
        is_slow = bool(slow_every) and number % slow_every == 3
        gap_ms = GAP_MS * draw.lognormvariate(0, 0.15) if is_slow else 4 * draw.lognormvariate(0, 0.3)
        trace = tree(case.request(gap_ms), unit=MS, trace_id=f"{draw.getrandbits(128):032x}")
        traces.append(later(trace, number * 300))
    return traces


def _served(service: str, route: str, *below: Node, ms: float) -> Node:
    attributes = {"http.request.method": route.split(maxsplit=1)[0], "http.route": route.split()[1]}
    return node(route, 0, ms, *below, kind=SERVER, resource=_of(service), attributes=attributes)


def _of(service: str) -> dict[str, object]:
    return {"service.name": service, "telemetry.sdk.language": "python"}


def _call(service: str, span: tuple[str, float, float], *below: Node, **attributes: object) -> Node:
    keys = {key.replace("__", "."): value for key, value in attributes.items()}
    return node(*span, *below, kind=CLIENT, resource=_of(service), attributes=keys)


def _step(service: str, span: tuple[str, float, float], *below: Node, **attributes: object) -> Node:
    keys = {key.replace("__", "."): value for key, value in attributes.items()}
    return node(*span, *below, resource=_of(service), attributes=keys)


def _reply(front: str, route: str, worker: str, work: str, waits_in: str = "") -> Request:
    """A request sends a message to a worker, and waits for its reply on another queue."""

    def request(ms: float) -> Node:
        consumer = node(work, 8, 8 + ms, kind=SpanKind.CONSUMER, resource=_of(worker))
        sends = node(
            f"{work} send",
            5,
            7,
            consumer,
            kind=SpanKind.PRODUCER,
            resource=_of(front),
            attributes={"messaging.system": "rabbitmq", "messaging.destination.name": f"{worker}-in"},
        )
        below = [sends, *([_step(front, (waits_in, 7, 10 + ms))] if waits_in else [])]
        return _served(front, route, *below, ms=14 + ms)

    return request


def _retries(front: str, route: str, host: str, failures: list[int | str]) -> Request:
    """Calls that fail, with growing waits between them, until one is answered; a usual request needs one call."""

    def request(ms: float) -> Node:
        calls, now_ms = [], 2.0
        for number, failure in enumerate(failures if ms > GAP_MS / 4 else []):
            error = (Event("exception", T0, {"exception.type": failure}),) if isinstance(failure, str) else ()
            code = {"http.response.status_code": failure} if isinstance(failure, int) else {}
            calls.append(
                node(
                    "GET",
                    now_ms,
                    now_ms + 6,
                    kind=CLIENT,
                    resource=_of(front),
                    events=error,
                    status=Status.ERROR,
                    attributes={"http.request.method": "GET", "server.address": host, **code, "error.type": "x"},
                )
            )
            now_ms += 6 + ms * 2**number / (2 ** len(failures) - 1)
        answered = {"http.request.method": "GET", "server.address": host, "http.response.status_code": 200}
        calls.append(node("GET", now_ms, now_ms + 9, kind=CLIENT, resource=_of(front), attributes=answered))
        return _served(front, route, *calls, ms=now_ms + 12)

    return request


def _cold(front: str, route: str, callee: str, **call: object) -> Request:
    """A call to a function, of which a slow one starts an environment first."""

    def request(ms: float) -> Node:
        is_cold = ms > GAP_MS / 4
        started = 4 + (ms if is_cold else 2)
        inside = node(
            callee,
            started,
            started + 12,
            kind=SERVER,
            resource={"faas.name": callee, "service.name": callee},
            attributes={"faas.coldstart": is_cold, "faas.trigger": "other"},
        )
        return _served(front, route, _call(front, ("Invoke", 3, started + 14), inside, **call), ms=started + 18)

    return request


def _connecting(front: str, route: str, host: str, opens: Request, *, inside: bool) -> Request:
    """A call that opens a connection first, by a span inside of it or before it."""

    def request(ms: float) -> Node:
        begin = 2.0 if inside else 2 + ms
        below = (opens(ms),) if inside else ()
        call = _call(front, ("POST", begin, 2 + ms + 15), *below, http__request__method="POST", server__address=host)
        return _served(front, route, *(() if inside else (opens(ms),)), call, ms=ms + 20)

    return request


def _shards(front: str, route: str, key: str, values: list[object], **call: object) -> Request:
    """Parallel calls, one to each shard; one of them is slow."""

    def request(ms: float) -> Node:
        calls = [
            _call(front, ("query", 2, 5 + (ms if number == 1 else number)), **call, **{key: value})
            for number, value in enumerate(values)
        ]
        return _served(front, route, *calls, ms=ms + 15)

    return request


def _entered(front: str, route: str, callee: str, values: list[object]) -> Request:
    """Parallel calls to a service with spans; the one for a partition computes long."""

    def request(ms: float) -> Node:
        calls = []
        for number, value in enumerate(values):
            end = 6 + (ms if number == 2 else number)
            inside = node(
                "POST /find", 3, end - 1, kind=SERVER, resource=_of(callee), attributes={"index.partition": value}
            )
            calls.append(_call(front, ("POST", 2, end), inside, server__address=callee))
        return _served(front, route, *calls, ms=ms + 16)

    return request


def _dns(service: str, name: str, kind: SpanKind = INTERNAL, **attributes: object) -> Request:
    keys = {key.replace("__", "."): value for key, value in attributes.items()}
    return lambda ms: node(name, 2, 2 + ms, kind=kind, resource=_of(service), attributes=keys)


LOOK_UP, CONNECT = "Look at the resolver", "Reuse connections"
INVOKE = {"rpc__system": "aws-api", "rpc__service": "Lambda", "rpc__method": "Invoke"}
CASES = (
    Gap(
        "a reply from a worker",
        _reply("album", "POST /thumbs", "scaler", "scale process"),
        "While album waited, scaler worked",
        "Look at scaler",
    ),
    Gap(
        "a reply, awaited in a span",
        _reply("quotes", "GET /quote", "tariffs", "tariff process", "await reply"),
        "While await reply waited, tariffs worked",
        "Look at tariffs",
    ),
    Gap(
        "a reply from a printer",
        _reply("labels", "PUT /label", "printer", "print"),
        "While labels waited, printer worked",
        "Look at printer",
    ),
    Gap(
        "a reply from a signer",
        _reply("contracts", "POST /sign", "hsm-worker", "sign job"),
        "While contracts waited, hsm-worker worked",
        "Look at hsm-worker",
    ),
    Gap(
        "503 with backoff",
        _retries("checkout", "POST /pay", "fraud.example.com", [503, 503]),
        "2 failed (503, 503): retries",
        "Find out why fraud.example.com fails",
    ),
    Gap(
        "429 once",
        _retries("maps", "GET /route", "tiles.example.net", [429]),
        "1 failed (429): retries",
        "Find out why tiles.example.net fails",
    ),
    Gap(
        "resets of connections",
        _retries("feed", "GET /feed", "posts.internal", ["ConnectionResetError"] * 3),
        "3 failed (ConnectionResetError",
        "Find out why posts.internal fails",
    ),
    Gap(
        "500 and 502",
        _retries("wallet", "GET /balance", "ledger.corp", [500, 502]),
        "2 failed (500, 502): retries",
        "Find out why ledger.corp fails",
    ),
    Gap(
        "cold start of an invoked function",
        _cold("shop", "GET /home", "recommender", **INVOKE, faas__invoked_name="recommender"),
        "cold start of recommender",
        "Import less at module load",
    ),
    Gap(
        "cold start behind a URL",
        _cold("uploads", "POST /scan", "virus-scan", http__request__method="POST", server__address="virus-scan"),
        "cold start of virus-scan",
        "Import less at module load",
    ),
    Gap(
        "cold start, invoked by another service",
        _cold("tickets", "GET /seat", "seatmap", **INVOKE, aws__lambda__function__name="seatmap"),
        "cold start of seatmap",
        "Import less at module load",
    ),
    Gap(
        "TLS handshake in a call",
        _connecting("billing", "POST /bill", "vat.example.com", _dns("billing", "tls.handshake"), inside=True),
        "the span tls.handshake",
        CONNECT,
    ),
    Gap(
        "TLS of another library",
        _connecting("search", "GET /find", "geo.example.org", _dns("search", "SslHandshake"), inside=True),
        "the span SslHandshake",
        CONNECT,
    ),
    Gap(
        "DNS before a call",
        _connecting(
            "mailer", "POST /mail", "smtp.example.com", _dns("mailer", "dns.lookup smtp.example.com"), inside=False
        ),
        "the span dns.lookup smtp.example.com",
        LOOK_UP,
    ),
    Gap(
        "DNS as a call without a callee",
        _connecting("crawler", "GET /page", "site.example.net", _dns("crawler", "getaddrinfo", CLIENT), inside=False),
        "the span getaddrinfo",
        LOOK_UP,
    ),
    Gap(
        "a lookup by its attributes",
        _connecting(
            "bank",
            "GET /rate",
            "fx.example.com",
            _dns("bank", "query", dns__question__name="fx.example.com"),
            inside=True,
        ),
        "the span query",
        LOOK_UP,
    ),
    Gap(
        "one of three shards",
        _shards("inbox", "GET /inbox", "db.shard", [0, 1, 2], db__system="postgresql", db__name="mail"),
        "parallel calls took",
        "db.shard = 1",
    ),
    Gap(
        "one of four partitions",
        _shards(
            "stats",
            "GET /top",
            "db.cassandra.partition",
            ["north", "south", "east", "west"],
            db__system="cassandra",
            db__name="hits",
        ),
        "parallel calls took",
        "db.cassandra.partition = south",
    ),
    Gap(
        "one of two regions",
        _shards(
            "status",
            "GET /all",
            "region",
            ["eu", "us"],
            http__request__method="GET",
            server__address="probe.example.com",
        ),
        "parallel calls took",
        "region = us",
    ),
    Gap(
        "a partition of a service",
        _entered("portal", "POST /search", "lucene", [7, 8, 9]),
        "parallel calls took",
        "index.partition = 9",
    ),
)
