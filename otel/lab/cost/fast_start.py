"""The layer's `otel_wrapper` with OTEL_AWS_LAMBDA_FAST_START=true: it loads its light SDK first."""

from amazon.opentelemetry.distro.opentelemetry_lite_sdk import configure_lite_mode

configure_lite_mode()

from otel_wrapper import lambda_handler as handler  # noqa: E402 - in the local copy of the layer

__all__ = ["handler"]
