"""The attribute names of OpenTelemetry that the traced libraries' instrumentations import: HTTP_METHOD is
`http.method`, and likewise for all. otel/tests/runtime/coldstart/test_standins.py compares each with its module.
"""

from __future__ import annotations

CONVENTIONS = {
    "attributes.client_attributes": "client.address client.port",
    "attributes.db_attributes": "db.namespace db.operation.name db.query.text db.system.name",
    "attributes.error_attributes": "error.type",
    "attributes.exception_attributes": "exception.escaped exception.message exception.stacktrace exception.type",
    "attributes.http_attributes": "http.request.method http.request.method_original http.response.status_code "
    "http.route",
    "attributes.network_attributes": "network.peer.address network.peer.port network.protocol.version "
    "network.transport",
    "attributes.server_attributes": "server.address server.port",
    "attributes.url_attributes": "url.full url.path url.query url.scheme",
    "attributes.user_agent_attributes": "user_agent.original",
    "_incubating.attributes.aws_attributes": "aws.dynamodb.attribute_definitions aws.dynamodb.attributes_to_get "
    "aws.dynamodb.consistent_read aws.dynamodb.consumed_capacity aws.dynamodb.count aws.dynamodb.exclusive_start_table "
    "aws.dynamodb.global_secondary_index_updates aws.dynamodb.global_secondary_indexes aws.dynamodb.index_name "
    "aws.dynamodb.item_collection_metrics aws.dynamodb.limit aws.dynamodb.local_secondary_indexes "
    "aws.dynamodb.projection aws.dynamodb.provisioned_read_capacity aws.dynamodb.provisioned_write_capacity "
    "aws.dynamodb.scan_forward aws.dynamodb.scanned_count aws.dynamodb.segment aws.dynamodb.select "
    "aws.dynamodb.table_count aws.dynamodb.table_names aws.dynamodb.total_segments",
    "_incubating.attributes.cloud_attributes": "cloud.region",
    "_incubating.attributes.db_attributes": "db.name db.operation db.redis.database_index db.statement db.system "
    "db.user",
    "_incubating.attributes.http_attributes": "http.flavor http.host http.method http.scheme http.server_name "
    "http.status_code http.target http.url http.user_agent",
    "_incubating.attributes.net_attributes": "net.host.name net.host.port net.peer.ip net.peer.name net.peer.port "
    "net.transport",
    "_incubating.attributes.rpc_attributes": "rpc.method rpc.service rpc.system",
    "_incubating.attributes.server_attributes": "server.address server.port",
    "_incubating.attributes.user_agent_attributes": "user_agent.synthetic.type",
    "metrics.http_metrics": "http.client.request.duration",
}

# The names of `opentelemetry.semconv.resource.ResourceAttributes`.
RESOURCE = (
    "cloud.provider cloud.platform cloud.account.id cloud.region cloud.availability_zone container.name container.id "
    "container.image.name container.image.tag deployment.environment faas.name faas.id faas.version faas.instance "
    "faas.max_memory host.name host.arch host.id host.type host.image.name host.image.id host.image.version "
    "k8s.cluster.name k8s.namespace.name k8s.pod.uid k8s.pod.name k8s.container.name k8s.replicaset.uid "
    "k8s.replicaset.name k8s.deployment.uid k8s.deployment.name k8s.statefulset.uid k8s.statefulset.name "
    "k8s.daemonset.uid k8s.daemonset.name k8s.job.uid k8s.job.name k8s.cronjob.uid k8s.cronjob.name os.description "
    "os.type os.version process.pid process.parent_pid process.executable.name process.executable.path "
    "process.command process.command_line process.command_args process.owner process.runtime.name "
    "process.runtime.version process.runtime.description service.name service.namespace service.instance.id "
    "service.version telemetry.sdk.name telemetry.sdk.version telemetry.auto.version telemetry.sdk.language"
)


def named(values: str) -> dict[str, object]:
    """Attribute names by the names of their constants."""
    return dict(zip(values.upper().replace(".", "_").split(), values.split(), strict=True))
