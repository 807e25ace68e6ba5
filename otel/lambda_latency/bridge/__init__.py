"""`aws_xray_sdk`'s API on OpenTelemetry: code written for the X-Ray SDK creates OpenTelemetry spans.

The kit's layer contains the package `names` as `aws_xray_sdk`. Without the kit's wrapper (`Tracing=Off`) OpenTelemetry
is absent, and nothing here imports it: every call returns immediately.
"""
