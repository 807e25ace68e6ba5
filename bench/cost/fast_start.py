"""What the layer's `otel_wrapper` does where OTEL_AWS_LAMBDA_FAST_START is true: its light SDK first, then as ever."""

from amazon.opentelemetry.distro.opentelemetry_lite_sdk import configure_lite_mode

configure_lite_mode()

from otel_wrapper import lambda_handler as handler  # noqa: E402 - of the laptop's copy of the layer

__all__ = ["handler"]
