"""The versions of OpenTelemetry that the runtime's tests have run with.

With these the runtime takes its shortcuts at a cold start (`standins`). With any other version it imports everything
plainly and says so once: the spans are the same, the cold start is longer.
"""

from __future__ import annotations

__all__ = ["TESTED", "installed", "is_tested"]

TESTED = {
    "1.33.1": ("0.54b1", "0.14.2"),
    "1.38.0": ("0.59b0", ""),
    "1.39.1": ("0.60b1", "0.15.0"),
    "1.40.0": ("0.61b0", ""),
    "1.42.1": ("0.63b1", ""),
    "1.44.0": ("0.65b0", "0.21.0"),
    "1.45.1": ("0.66b1", ""),
    "1.45.2": ("0.66b1", ""),
}
"""SDK: its instrumentations, and the release of ADOT's Python layer that carries both (empty: none does)."""


def installed() -> tuple[str, str]:
    """The versions of the SDK and of the instrumentations. Raises ImportError where one is missing."""
    from opentelemetry.instrumentation.version import __version__ as instrumentations
    from opentelemetry.sdk.version import __version__ as sdk

    return sdk, instrumentations


def is_tested(versions: tuple[str, str]) -> bool:
    """Whether the tests have run with this SDK and these instrumentations together."""
    sdk, instrumentations = versions
    return sdk in TESTED and TESTED[sdk][0] == instrumentations
