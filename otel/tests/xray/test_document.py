"""Spans turned into segment documents, against the documents that ADOT's own exporter made of the same spans."""

import json
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.trace import Event, Span, SpanKind, Status, spans_of
from tests.xray.document import segment_document

GOLDEN = Path(__file__).parents[1] / "golden" / "xray"
# What the exporter was told to index when it made the documents.
INDEXED = [
    "http.route",
    "http.method",
    "http.status_code",
    "http.response.status_code",
    "faas.coldstart",
    "aws.table_name",
    "rpc.method",
    "app.outcome",
]
SPANS = {
    span.span_id: span
    for line in (GOLDEN / "spans.jsonl").read_bytes().splitlines()
    for span in spans_of(line, pytest.fail)
}
DOCUMENTS = {
    document["id"]: document
    for document in map(json.loads, (GOLDEN / "segments.jsonl").read_text(encoding="utf-8").splitlines())
}


def made(span: Span, *indexed: str) -> dict[str, Any]:
    """The document as it would be read again."""
    document: dict[str, Any] = json.loads(json.dumps(segment_document(span, indexed)))
    return document


def comparable(document: dict[str, Any]) -> dict[str, Any]:
    """A whole document but for three things, all in its cause.

    The ids of exceptions are random. A chained exception becomes a second one in the exporter's cause, with a line of
    the code as its type; it is not made here, so neither is the first one's reference to it.
    """
    exceptions = document.get("cause", {}).get("exceptions")
    if exceptions:
        first = {key: value for key, value in exceptions[0].items() if key not in ("id", "cause")}
        document = {**document, "cause": {"exceptions": [first]}}
    return document


def test_the_golden_files_are_complete() -> None:
    """There is a document for each span, of every case that traces.json names."""
    cases = json.loads((GOLDEN / "traces.json").read_text(encoding="utf-8"))

    assert len(SPANS) == 31
    assert set(SPANS) == set(DOCUMENTS)
    assert set(cases.values()) <= {document["trace_id"] for document in DOCUMENTS.values()}


@pytest.mark.parametrize("span_id", SPANS)
def test_a_span_becomes_the_document_that_the_exporter_makes_of_it(span_id: str) -> None:
    """Name, ids, times, http, aws, flags, cause, annotations, metadata: the whole document."""
    assert comparable(made(SPANS[span_id], *INDEXED)) == comparable(DOCUMENTS[span_id])


def span(kind: SpanKind = SpanKind.CLIENT, name: str = "call", **more: Any) -> Span:
    """A span of one second, with a parent."""
    return Span(
        **{
            "trace_id": "6b062b4446e3a08453e966dd7812677f",
            "span_id": "61d714df97d99000",
            "parent_id": "5aba275343121860",
            "name": name,
            "kind": kind,
            "start_ns": 1_795_566_404_000_000_000,
            "end_ns": 1_795_566_405_000_000_000,
            **more,
        }
    )


def test_a_list_that_is_indexed_vanishes() -> None:
    """The exporter drops it from the annotations and from the metadata, which is why collector.yaml indexes none."""
    document = made(span(attributes={"tables": ["a", "b"], "text": "x"}), "tables", "text")

    assert document["annotations"] == {"text": "x"}
    assert "metadata" not in document


def test_a_throttle_is_one_only_by_an_integer() -> None:
    """429 as text is no status: the span's own status counts then."""
    by_number = made(span(attributes={"http.status_code": 429}))
    by_text = made(span(attributes={"http.status_code": "429"}, status=Status.ERROR))

    assert [by_number[flag] for flag in ("fault", "error", "throttle")] == [False, True, True]
    assert [by_text[flag] for flag in ("fault", "error", "throttle")] == [True, False, False]


@pytest.mark.parametrize(
    ("kind", "attributes", "name"),
    [
        (SpanKind.CLIENT, {"peer.service": "pay.example.com", "rpc.service": "X"}, "pay.example.com"),
        (SpanKind.CLIENT, {"rpc.system": "aws-api", "aws.remote.service": "AWS::DynamoDB"}, "DynamoDB"),
        (SpanKind.CLIENT, {"rpc.system": "aws-api", "aws.remote.service": "AWS.SDK.SQS"}, "SQS"),
        (SpanKind.CLIENT, {"rpc.service": "DynamoDB", "net.peer.name": "127.0.0.1"}, "DynamoDB"),
        (SpanKind.CLIENT, {"net.peer.name": "127.0.0.1"}, "127.0.0.1"),
        (SpanKind.CLIENT, {"server.address": "pay.example.com"}, "GET orders"),
        (SpanKind.CLIENT, {"db.name": "orders", "rpc.service": "X"}, "orders"),
        (SpanKind.SERVER, {"aws.local.service": "local", "peer.service": "other"}, "local"),
        (SpanKind.SERVER, {"rpc.service": "X"}, "orders-api"),
        (SpanKind.INTERNAL, {}, "GET orders"),
    ],
)
def test_a_node_is_named_after_the_service_that_was_called(
    kind: SpanKind, attributes: dict[str, object], name: str
) -> None:
    """The first of these that a span has; `server.address` is not among them, and characters X-Ray refuses go."""
    one = span(kind, "GET (orders)", attributes=attributes, resource={"service.name": "orders-api"})

    assert made(one)["name"] == name


@pytest.mark.parametrize(
    ("attributes", "shown"),
    [
        ({"http.method": "GET", "http.url": "http://a/b"}, {"method": "GET", "url": "http://a/b"}),
        (
            {"http.scheme": "https", "net.peer.name": "a", "net.peer.port": 443, "http.target": "/b"},
            {"url": "https://a/b"},
        ),
        (
            {"http.method": "GET", "net.peer.name": "a", "net.peer.port": 81, "url.path": "/b", "url.query": "?c"},
            {"method": "GET", "url": "http://a:81/b?c"},
        ),
        ({"http.method": "GET", "http.host": "a:8", "net.peer.port": 9}, {"method": "GET", "url": "http://a:8/"}),
        ({"http.method": "GET", "client.address": "nobody"}, {"method": "GET"}),
        (
            {"http.method": "GET", "network.peer.address": "10.0.0.1"},
            {"method": "GET", "url": "http:///", "client_ip": "10.0.0.1"},
        ),
    ],
)
def test_a_url_is_put_together_where_a_span_has_none(attributes: dict[str, object], shown: dict[str, object]) -> None:
    """From scheme, host, port and path in their old and new names."""
    assert made(span(attributes=attributes))["http"]["request"] == shown


def test_a_resource_that_runs_elsewhere_has_no_aws_part() -> None:
    """`cloud.provider` other than aws: the exporter leaves the part out."""
    assert "aws" not in made(span(resource={"cloud.provider": "gcp"}))


@pytest.mark.parametrize("names", ["/aws/lambda/a&/aws/lambda/b", ["/aws/lambda/a", "/aws/lambda/b"]])
def test_log_groups_of_the_resource_lead_to_the_logs(names: object) -> None:
    """The layer's wrapper names the function's log group; a variable holds several with & between."""
    document = made(span(resource={"aws.log.group.names": names}))

    assert document["aws"]["cloudwatch_logs"] == [{"log_group": "/aws/lambda/a"}, {"log_group": "/aws/lambda/b"}]


def test_several_tables_are_a_list() -> None:
    """A batch over two tables has no `table_name`."""
    document = made(span(attributes={"aws.dynamodb.table_names": ["a", "b"], "aws.table_name": "a"}))

    assert (document["aws"].get("table_name"), document["aws"]["table_names"]) == (None, ["a", "b"])


def test_each_exception_of_a_span_is_in_its_cause() -> None:
    """Also of a span that did not fail, and without a stack where the language is not Python."""
    events = [Event("exception", 1, {"exception.type": kind, "exception.stacktrace": "x\ny\n"}) for kind in "AB"]

    causes = made(span(events=events, resource={"telemetry.sdk.language": "java"}))["cause"]["exceptions"]

    assert [{**cause, "id": ""} for cause in causes] == [
        {"id": "", "message": "", "type": kind, "remote": True} for kind in "AB"
    ]
