"""Metrics of its own."""

from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

READER = InMemoryMetricReader()
PROVIDER = MeterProvider([READER])
metrics.set_meter_provider(PROVIDER)
COUNTER = metrics.get_meter("user").create_counter("orders")


def handler(event, context):
    COUNTER.add(1, {"kind": "x"})
    with_name = [
        [metric.name, [point.value for point in metric.data.data_points]]
        for resource in READER.get_metrics_data().resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == "orders"
    ]
    return [metrics.get_meter_provider() is PROVIDER, with_name]
