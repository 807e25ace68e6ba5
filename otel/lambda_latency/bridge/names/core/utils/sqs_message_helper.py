"""SQS messages."""

from typing import Any

__all__ = ["SQS_XRAY_HEADER", "SqsMessageHelper"]

SQS_XRAY_HEADER = "AWSTraceHeader"


class SqsMessageHelper:
    """Reads the sampling decision of a message."""

    @staticmethod
    def isSampled(sqs_message: Any) -> bool:
        """Whether the message's sender was sampled, by the tracing header in its attributes."""
        return "Sampled=1" in sqs_message["attributes"].get(SQS_XRAY_HEADER, "")
