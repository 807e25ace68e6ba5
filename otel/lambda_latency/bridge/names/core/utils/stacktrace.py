"""The current stack."""

import traceback

__all__ = ["get_stacktrace"]


def get_stacktrace(limit: int | None = None) -> list[traceback.FrameSummary]:
    """The frames of the caller."""
    return list(traceback.extract_stack(limit=limit))[:-1]
