"""What runs inside Lambda next to the handler; it needs OpenTelemetry and nothing else of `otel`."""
