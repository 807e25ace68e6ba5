"""From the example of a class to its log lines: group, request id, query and address; nothing is fetched."""

from urllib.parse import urlsplit

from lambda_latency.latency.analysis.log_lines import LogLines, log_lines_of
from lambda_latency.trace import FUNCTION, LAPTOP, SpanKind, Trace, spans_of
from tests.trace.build import MS, T0, TRACE_ID, node, tree

REQUEST = "0b5a3d8e-1f6e-4f0b-9e0a-7b1f8f6a2c11"


def _trace(resource: dict[str, object], attributes: dict[str, object]) -> Trace:
    return tree(node("f", 0, 100, kind=SpanKind.SERVER, resource=resource, attributes=attributes), unit=MS)


def test_a_function_logs_to_the_group_of_its_name() -> None:
    """Unless its resource names another group; region and request id are those of its spans."""
    lines = log_lines_of(_trace({"faas.name": "orders", "cloud.region": "eu-west-1"}, {"faas.invocation_id": REQUEST}))
    assert lines == LogLines(
        "/aws/lambda/orders", REQUEST, "1-6b05a667-affeb9dbb0aa7f2b5d5ab5f9", "eu-west-1",
        T0 // MS - 60_000, T0 // MS + 100 + 60_000,
    )  # fmt: skip
    named = log_lines_of(_trace({"faas.name": "orders", "aws.log.group.names": ["/shop/logs"]}, {}))
    assert named is not None
    assert (named.group, named.request_id, named.region, named.link) == ("/shop/logs", "", "", "")


def test_the_query_filters_by_the_request_id_or_else_by_the_trace() -> None:
    """Both stand in each log line: Lambda writes the first, the kit the second."""
    lines = log_lines_of(_trace({"faas.name": "orders"}, {"faas.invocation_id": REQUEST}))
    assert lines is not None
    end = " | sort @timestamp asc | limit 200"
    assert lines.query == f'fields @timestamp, @message | filter @message like "{REQUEST}"{end}'
    plain = log_lines_of(_trace({"faas.name": "orders"}, {"faas.invocation_id": "no uuid"}))
    assert plain is not None
    assert '"1-6b05a667-affeb9dbb0aa7f2b5d5ab5f9"' in plain.query


def test_the_address_opens_the_query_in_the_region() -> None:
    """All of it is in the fragment; partitions have consoles of their own."""
    lines = log_lines_of(_trace({"faas.name": "orders", "cloud.region": "eu-west-1"}, {}))
    assert lines is not None
    address = urlsplit(lines.link)
    assert (address.hostname, address.query) == ("eu-west-1.console.aws.amazon.com", "region=eu-west-1")
    assert address.fragment.startswith("logsV2:logs-insights$3FqueryDetail$3D~(end~'2026-")
    assert address.fragment.endswith("~source~(~'*2faws*2flambda*2forders))")
    assert " " not in lines.link
    assert '"' not in lines.link
    assert urlsplit(lines.link_in("cn-north-1")).hostname == "cn-north-1.console.amazonaws.cn"
    assert urlsplit(lines.link_in("us-gov-west-1")).hostname == "us-gov-west-1.console.amazonaws-us-gov.com"


def test_a_segment_of_lambda_has_its_request_id_and_region() -> None:
    """X-Ray's documents have them in the block `aws`."""
    arn = "arn:aws:lambda:us-east-2:123456789012:function:orders"
    segment = (
        '{"trace_id":"1-6b05a667-affeb9dbb0aa7f2b5d5ab5f9","id":"eee19b7ec3c1b174","name":"orders","origin":'
        f'"{FUNCTION}","start_time":1795560000.0,"end_time":1795560000.5,"aws":{{"request_id":"{REQUEST}",'
        f'"function_arn":"{arn}","cloudwatch_logs":[{{"log_group":"/shop/orders"}}]}}}}'
    )
    lines = log_lines_of(Trace(spans_of(segment.encode(), print)))
    assert lines is not None
    assert (lines.group, lines.request_id, lines.region) == ("/shop/orders", REQUEST, "us-east-2")


def test_a_service_elsewhere_has_no_log_group() -> None:
    """Its name tells none; a function of another cloud has other logs."""
    assert log_lines_of(_trace({"service.name": "shop"}, {})) is None
    assert log_lines_of(_trace({"faas.name": "f", "cloud.platform": "gcp_cloud_functions"}, {})) is None
    assert TRACE_ID.startswith("6b05a667")


def test_a_request_on_a_laptop_has_no_log_group() -> None:
    """Its functions print, and CloudWatch has never heard of them."""
    assert log_lines_of(_trace({"faas.name": "orders", "cloud.region": "eu-west-1", LAPTOP: True}, {})) is None


def test_a_consumer_has_the_group_of_its_own_name() -> None:
    """The sender's resource names its group; that of the consumer, in the same trace, does not."""
    sender = {"faas.name": "orders", "service.name": "orders", "aws.log.group.names": ["/shop/orders"]}
    consumer = node("mail", 50, 100, kind=SpanKind.CONSUMER, resource={"service.name": "mail", "faas.name": "mail"})
    trace = tree(node("orders", 0, 100, consumer, kind=SpanKind.SERVER, resource=sender), unit=MS)
    groups = [lines.group for name in ("mail", "orders", "") if (lines := log_lines_of(trace, name))]
    assert groups == ["/aws/lambda/mail", "/shop/orders", "/shop/orders"]
