"""The exceptions of the X-Ray SDK, with its names."""

from __future__ import annotations


class AlreadyEndedException(Exception):  # noqa: N818 - the SDK's names
    """A closed segment or subsegment cannot be modified."""


class FacadeSegmentMutationException(Exception):  # noqa: N818
    """Never raised here: data for Lambda's segment is set on the handler's span."""


class InvalidDaemonAddressException(Exception):  # noqa: N818
    """Never raised here: there is no daemon."""


class InvalidSamplingManifestError(Exception):
    """Never raised here: Lambda samples."""


class MissingPluginNames(Exception):  # noqa: N818
    """Never raised here: there are no plugins."""


class SegmentNameMissingException(Exception):  # noqa: N818
    """A segment needs a name."""


class SegmentNotFoundException(Exception):  # noqa: N818
    """There is no current segment, and `AWS_XRAY_CONTEXT_MISSING` is `RUNTIME_ERROR`."""


class SubsegmentNameMissingException(Exception):  # noqa: N818
    """A subsegment needs a name."""
