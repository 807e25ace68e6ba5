"""The attributes of some requests, from all spans and resources, as sets of requests by value.

A set of requests is an integer: bit `n` stands for the n-th request.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.correlation.association import ReadSpans
from lambda_latency.redaction import REDACTED, SECRET, clean, secrecy
from lambda_latency.trace import AttributedSpan, Span, SpanKind


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


# Attributes that identify a call: they are always there when the call is. Others, such as `db.shard` or
# `messaging.kafka.partition`, may be the reason, so no prefix is left out.
CALL = words("""
    aws.bucket.name aws.dynamodb.table_names aws.function_name aws.kinesis.stream.name aws.kinesis.stream_name
    aws.lambda.function.name aws.lambda.invoked_arn aws.operation aws.queue.url aws.queue_url aws.request_id
    aws.requestId aws.s3.bucket aws.s3.key aws.service aws.sns.topic.arn aws.sqs.queue.url aws.table_name
    aws.xray.origin component db.collection.name db.connection_string db.cassandra.table db.dynamodb.table_name
    db.instance db.mongodb.collection db.name db.namespace db.operation db.operation.name db.query.summary
    db.query.text db.redis.database_index db.sql.table db.statement db.system db.system.name db.type db.user
    faas.execution faas.id faas.invocation_id faas.invoked_name faas.name faas.trigger gen_ai.operation.name
    gen_ai.provider.name gen_ai.response.id gen_ai.system graphql.document graphql.operation.type http.flavor
    http.host http.method http.path http.request.method http.request.method_original http.route http.scheme
    http.server_name http.target http.url llm.provider llm.system messaging.destination messaging.destination.name
    messaging.destination_kind messaging.message.id messaging.message_id messaging.operation
    messaging.operation.name messaging.operation.type messaging.system messaging.url net.host.ip net.host.name
    net.host.port net.peer.ip net.peer.name net.peer.port net.sock.host.addr net.sock.host.port net.sock.peer.addr
    net.sock.peer.name net.sock.peer.port net.transport network.local.address network.local.port
    network.peer.address network.peer.port network.protocol.name network.protocol.version network.transport
    network.type openinference.span.kind peer.address peer.hostname peer.ipv4 peer.port peer.service ref.type
    rpc.grpc.request.metadata rpc.method rpc.service rpc.system server.address server.port server.socket.address
    service.name span.kind span.type upstream_cluster upstream_cluster.name url.domain url.fragment url.full url.path
    url.query url.scheme url.template
    code.column code.column.number code.file.path code.filepath code.function code.function.name code.line.number
    code.lineno code.namespace code.stacktrace process.pid thread.id thread.name otel.scope.name
    otel.scope.version otel.library.name otel.library.version internal.span.format sampler.param sampler.type
""")
# Attributes of a call's outcome: a slow call that is cut off has a status, an error and retries of its own.
OUTCOME = words("""
    aws.retry.count cold_start coldstart error error.code error.message error.type exception.message exception.type
    faas.coldstart grpc.status_code http.request.resend_count http.response.status_code http.retry_count
    http.status_code http.status_text otel.status_code otel.status_description response_flags retry.count
    retry_attempts retry_count rpc.grpc.status_code rpc.response.status_code status status.code status_code
""")
# Of the kit, of SDKs, of the outcome, and of AWS's plugin, which describes what the execution did
OWN = ("lambda.", "telemetry.", "exception.", "aws.xray.", "durable.")
DURATION = re.compile(
    r"(?:^|[._-])(?:duration|elapsed|latency|took|remaining|uptime|timestamp|start_time|end_time|waited|"
    r"(?:response|request|processing|execution|query|upstream|service|total|billed|busy|idle|wall)[._-]?time)"
    r"(?:[._-]?(?:ms|us|ns|s|sec|secs|seconds|millis|micros|nanos|in_nanos))?$|busy_ns$|idle_ns$|duration_?ms$",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def is_candidate(key: str) -> bool:
    """Whether a finding may name this attribute."""
    return not (key in CALL or key in OUTCOME or key.startswith(OWN) or DURATION.search(key) is not None)


@lru_cache(maxsize=4096)
def is_read(key: str) -> bool:
    """Whether findings may name this attribute, or a parameter in its value."""
    return key in ROUTES or is_candidate(key)


Single: TypeAlias = "str | bool | int | float"
Key: TypeAlias = tuple[str, str]  # a service and an attribute
# A service, and the kind and the name of a span of it; or a service's resource
Carrier: TypeAlias = tuple[str, ...]

LONGEST = 120  # characters of a value
MOST_OF_LIST = 16  # values of a list
DEEPEST = 3  # mappings inside of mappings
# A number is a duration if it is that of its span or its request in s, ms, us or ns, give or take 2 %: if its ratio to
# the nanoseconds is between two of these limits, of which each second is an upper one.
DURATIONS = [share * unit for unit in (1e-9, 1e-6, 1e-3, 1.0) for share in (0.98, 1.02)]
NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?\Z")
VARYING = re.compile(r"\d+|\b[0-9a-f]{8,}\b")
PARAMETER = re.compile(r"\{([^{}/]+)\}|(?<=/):(\w+)|<(?:\w+:)?(\w+)>")
# The first letter of parameters of routes and queries, which are parts of an attribute
DERIVED = ("{", "?")
PATHS = ("url.path", "http.target", "url.full", "http.url", "http.path")
QUERIES = ("url.query", "http.target", "url.full", "http.url")
ROUTES = frozenset(("http.route", *PATHS, *QUERIES))


def bits(places: Iterable[int]) -> int:
    """Return a set of requests as an integer."""
    requests = 0
    for place in places:
        requests |= 1 << place
    return requests


def without_secrets(attribute: str, text: str) -> str:
    """Return the text of a value as it may be reported."""
    name = attribute.rpartition(".")[2] if attribute.startswith("http.re") else attribute.lstrip("?{").rstrip("}")
    return REDACTED if secrecy(name) == SECRET else clean(text, ())


class AttributeValues:
    """The values of an attribute: the requests with each text, and the number of each request that has one.

    `carriers` have the attribute; `durations` are the requests whose number is the duration of its span or its own.
    """

    __slots__ = ("carriers", "durations", "numbers", "texts")

    def __init__(self) -> None:
        self.texts: defaultdict[str, set[int]] = defaultdict(set)
        self.numbers: dict[int, float] = {}
        self.carriers: set[Carrier] = set()
        self.durations: set[int] = set()

    def add(self, place: int, value: Single, span_and_request_ns: tuple[int, int]) -> None:
        """Add a value of the request at this place."""
        if isinstance(value, str):
            self.texts[value[:LONGEST]].add(place)
            if NUMBER.match(value) is None:
                return
        elif isinstance(value, bool):
            self.texts["true" if value else "false"].add(place)
            return
        elif isinstance(value, int):
            self.texts[str(value)].add(place)
        number = float(value)
        self.numbers[place] = max(number, self.numbers.get(place, number))
        for ns in span_and_request_ns:
            if ns and bisect(DURATIONS, number / ns) % 2:
                self.durations.add(place)

    def present(self) -> set[int]:
        """Return the requests that have the attribute."""
        return set(self.numbers).union(*self.texts.values())

    def is_duration(self) -> bool:
        """Whether the values are the durations of their spans or of the requests."""
        return 2 * len(self.durations) > len(self.numbers) > 0

    def has_ranges(self) -> bool:
        """Whether the attribute has numbers, and not mostly texts."""
        if not self.numbers or self.is_duration():
            return False
        texts = [places for text, places in self.texts.items() if NUMBER.match(text) is None]
        return 2 * len(self.numbers) >= len(set().union(*texts))


class AttributeSets:
    """Collects the attributes of requests. `walls_ns` are the durations of the requests, in their order.

    `only`: of this attribute, even if no finding may name it.
    """

    def __init__(self, walls_ns: Sequence[int], only: str = "") -> None:
        self._walls_ns = walls_ns
        self._is_collected: Callable[[str], bool] = only.__eq__ if only else is_candidate
        self.values: dict[Key, AttributeValues] = {}
        self._of_carriers: defaultdict[Carrier, dict[str, AttributeValues]] = defaultdict(dict)
        self._carriers: defaultdict[Carrier, set[int]] = defaultdict(set)
        self._eligible: dict[frozenset[Carrier], int] = {}
        self._resource: tuple[int, object] = (-1, None)

    def add(self, place: int, span: Span | AttributedSpan) -> None:
        """Add a span of the request at this place."""
        resource = span.resource
        service = str(resource.get("service.name", ""))
        carrier = _carrier(service, span.kind, span.name)
        self._carriers[carrier].add(place)
        if span.attributes:
            self._add(place, carrier, span.attributes, (span.end_ns or span.start_ns) - span.start_ns)
        if self._resource[0] != place or self._resource[1] is not resource:
            self._resource = (place, resource)
            self._carriers[service,].add(place)
            self._add(place, (service,), resource, 0)

    def requests_by_text(self, key: Key, least: int) -> dict[str, set[int]]:
        """Return the requests with each text of an attribute, secrets redacted, without texts of fewer than `least`.

        Different texts may become one: their requests are counted together.
        """
        by_text: dict[str, set[int]] = {}
        for text, places in self.values[key].texts.items():
            if len(places) >= least:
                by_text.setdefault(without_secrets(key[1], text), set()).update(places)
        return by_text

    def eligible(self, key: Key) -> int:
        """Return the requests with a span that may carry the attribute: one of a service, kind and name that does."""
        carriers = frozenset(self.values[key].carriers)
        if carriers not in self._eligible:
            self._eligible[carriers] = bits(set[int]().union(*(self._carriers[carrier] for carrier in carriers)))
        return self._eligible[carriers]

    def _add(self, place: int, carrier: Carrier, attributes: Mapping[str, object], took_ns: int) -> None:
        of_carrier, ns = self._of_carriers[carrier], (took_ns, self._walls_ns[place])
        for name, value in (*attributes.items(), *_parameters(attributes)):
            if not self._is_collected(name):
                continue
            # Most values are texts, and a generator takes longer
            for single_name, single in ((name, value),) if isinstance(value, str) and value else _flat(name, value):
                values = of_carrier.get(single_name)
                if values is None:
                    values = of_carrier[single_name] = self.values.setdefault(
                        (carrier[0], single_name), AttributeValues()
                    )
                    values.carriers.add(carrier)
                values.add(place, single, ns)


@lru_cache(maxsize=4096)
def _carrier(service: str, kind: SpanKind, name: str) -> Carrier:
    return service, kind.name, VARYING.sub("#", name)


def collected(
    breakdowns: Breakdowns, indices: Sequence[int], read: ReadSpans, only: str = ""
) -> tuple[AttributeSets, dict[int, int]]:
    """Read the attributes of requests; return them, and the place in them of each request that could be read."""
    place_of = {breakdowns.trace_id(index): place for place, index in enumerate(indices)}
    attributes = AttributeSets([breakdowns.walls_ns[index] for index in indices], only)
    places: dict[int, int] = {}
    for span in read(place_of.keys()):
        place = place_of.get(span.trace_id)
        if place is not None:
            places[indices[place]] = place
            attributes.add(place, span)
    return attributes, places


def _flat(name: str, value: object, depth: int = 0) -> Iterator[tuple[str, Single]]:
    """Yield the single values of an attribute: each of a list, and those of a mapping under longer names."""
    if isinstance(value, str | bool | int | float):
        if value == value and value not in ("", float("inf"), float("-inf")):
            yield name, value
    elif isinstance(value, Mapping):
        if depth < DEEPEST:
            for key, inner in value.items():
                yield from _flat(f"{name}.{key}", inner, depth + 1)
    elif isinstance(value, tuple):
        for inner in value[:MOST_OF_LIST]:
            yield from _flat(name, inner, depth + 1)


def _parameters(attributes: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return the parameters in the path of a route, as `{name}`, and those of its query, as `?name`."""
    route = attributes.get("http.route")
    parameters: list[tuple[str, str]] = []
    if isinstance(route, str) and PARAMETER.search(route) is not None:
        parameters += _path_parameters(route, _text_of(attributes, PATHS))
    query = _text_of(attributes, QUERIES)
    if "=" in query:
        query = query.partition("?")[2] if "?" in query or "/" in query else query
        try:
            parameters += [(f"?{name}", value) for name, value in parse_qsl(query, max_num_fields=MOST_OF_LIST)]
        except ValueError:  # more fields
            return parameters
    return parameters


def _text_of(attributes: Mapping[str, object], keys: Iterable[str]) -> str:
    return next((str(attributes[key]) for key in keys if attributes.get(key)), "")


def _path_parameters(route: str, path: str) -> list[tuple[str, str]]:
    try:
        path = urlsplit(path).path
    except ValueError:
        return []
    matched = _pattern(route).search(path) if path else None
    if matched is None:
        return []
    names = [next(filter(None, groups)) for groups in PARAMETER.findall(route)]
    return [(f"{{{name}}}", unquote(value)) for name, value in zip(names, matched.groups(), strict=True) if value]


@lru_cache(maxsize=256)
def _pattern(route: str) -> re.Pattern[str]:
    components: list[str] = []
    end = 0
    for parameter in PARAMETER.finditer(route):
        is_greedy = parameter[0].startswith("{") and parameter[0].endswith("+}")
        components += [re.escape(route[end : parameter.start()]), "(.+)" if is_greedy else "([^/]+)"]
        end = parameter.end()
    return re.compile("".join([*components, re.escape(route[end:])]) + r"/?\Z")
