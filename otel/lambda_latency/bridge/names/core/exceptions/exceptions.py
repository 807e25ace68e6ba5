"""Exceptions."""

from lambda_latency.bridge.exceptions import (
    AlreadyEndedException,
    FacadeSegmentMutationException,
    InvalidDaemonAddressException,
    InvalidSamplingManifestError,
    MissingPluginNames,
    SegmentNameMissingException,
    SegmentNotFoundException,
    SubsegmentNameMissingException,
)

__all__ = [
    "AlreadyEndedException",
    "FacadeSegmentMutationException",
    "InvalidDaemonAddressException",
    "InvalidSamplingManifestError",
    "MissingPluginNames",
    "SegmentNameMissingException",
    "SegmentNotFoundException",
    "SubsegmentNameMissingException",
]
