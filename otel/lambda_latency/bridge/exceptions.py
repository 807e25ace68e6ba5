"""The exceptions of the X-Ray SDK, with its names, and the current stack."""

from __future__ import annotations

import traceback


class AlreadyEndedException(Exception):  # noqa: N818 - the SDK's names
    """A closed segment or subsegment cannot be modified."""


class SegmentNameMissingException(Exception):  # noqa: N818
    """A segment needs a name."""


class SegmentNotFoundException(Exception):  # noqa: N818
    """There is no current segment, and `AWS_XRAY_CONTEXT_MISSING` is `RUNTIME_ERROR`."""


class SubsegmentNameMissingException(Exception):  # noqa: N818
    """A subsegment needs a name."""


class NeverRaised(Exception):  # noqa: N818
    """The exceptions of what is absent here: daemon, plugins, local rules, and data of Lambda's segment."""


def get_stacktrace(limit: int | None = None) -> list[traceback.FrameSummary]:
    """The frames of the caller."""
    return list(traceback.extract_stack(limit=limit))[:-1]
