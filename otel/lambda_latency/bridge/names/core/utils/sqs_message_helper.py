"""Messages of SQS."""

from typing import Any

__all__ = ["SQS_XRAY_HEADER", "SqsMessageHelper"]

SQS_XRAY_HEADER = "AWSTraceHeader"


class SqsMessageHelper:
    """Whether the sender of a message was traced."""

    @staticmethod
    def isSampled(sqs_message: Any) -> bool:
        """By the header that its attributes have."""
        return "Sampled=1" in sqs_message["attributes"].get(SQS_XRAY_HEADER, "")
