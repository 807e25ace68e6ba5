"""Attributes that no finding names: those that tell the call itself or its outcome, and durations."""

from __future__ import annotations

import re


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


# What tells which call it is: it is always there when the call is. Attributes beside these, such as `db.shard` or
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
# What became of it: a slow call that is cut off has a status, an error and retries of its own.
OUTCOME = words("""
    aws.retry.count cold_start coldstart error error.code error.message error.type exception.message exception.type
    faas.coldstart grpc.status_code http.request.resend_count http.response.status_code http.retry_count
    http.status_code http.status_text otel.status_code otel.status_description response_flags retry.count
    retry_attempts retry_count rpc.grpc.status_code rpc.response.status_code status status.code status_code
""")
OWN = ("lambda.", "telemetry.", "exception.", "aws.xray.")  # of the kit, of SDKs, of the outcome
DURATION = re.compile(
    r"(?:^|[._-])(?:duration|elapsed|latency|took|remaining|uptime|timestamp|start_time|end_time|waited|"
    r"(?:response|request|processing|execution|query|upstream|service|total|billed|busy|idle|wall)[._-]?time)"
    r"(?:[._-]?(?:ms|us|ns|s|sec|secs|seconds|millis|micros|nanos|in_nanos))?$|busy_ns$|idle_ns$|duration_?ms$",
    re.IGNORECASE,
)


def is_asked(key: str) -> bool:
    """Whether a finding may name this attribute."""
    return not (key in CALL or key in OUTCOME or key.startswith(OWN) or DURATION.search(key) is not None)
