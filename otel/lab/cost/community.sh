#!/bin/sh
# Replaces /opt/otel-instrument of the OpenTelemetry community's layer, with its variables and its second interpreter.
export OTEL_EXPORTER_OTLP_PROTOCOL="${OTEL_EXPORTER_OTLP_PROTOCOL:-http/protobuf}"
export OTEL_SERVICE_NAME="${OTEL_SERVICE_NAME:-$AWS_LAMBDA_FUNCTION_NAME}"
export OTEL_PROPAGATORS="${OTEL_PROPAGATORS:-tracecontext,baggage,xray}"
export OTEL_RESOURCE_ATTRIBUTES="cloud.provider=aws,cloud.region=$AWS_REGION,faas.name=$AWS_LAMBDA_FUNCTION_NAME"
exec opentelemetry-instrument "$@"
