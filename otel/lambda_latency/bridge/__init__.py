"""`aws_xray_sdk`'s API on OpenTelemetry: code that is written for the X-Ray SDK makes OpenTelemetry's spans.

The kit's layer has the package `names` as `aws_xray_sdk`. Without the kit's wrapper (`Tracing=Off`) OpenTelemetry is
not there, and nothing in here imports it: every call returns at once.
"""
