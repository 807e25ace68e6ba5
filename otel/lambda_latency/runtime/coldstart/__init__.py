"""What keeps a cold start short: stand-ins for modules, constants, cheap values.

Stand-ins are used with the versions of OpenTelemetry with which the runtime's tests have run. With any other version
the runtime imports everything and logs that once: the spans are the same, the cold start is longer.
"""

from __future__ import annotations

__all__ = ["TESTED", "installed", "is_tested"]

# By version of the SDK: the version of the instrumentations, and the ADOT Python layer with both (empty: none).
# Of 1.45.2 only some instrumentations could be had: the corpus of `lab versions` ran with them, the tests did not.
TESTED = {
    "1.33.1": ("0.54b1", "0.14.2"),
    "1.38.0": ("0.59b0", ""),
    "1.39.1": ("0.60b1", "0.15.0"),
    "1.40.0": ("0.61b0", "0.17.1"),
    "1.42.1": ("0.63b1", "0.18.0"),
    "1.44.0": ("0.65b0", "0.21.0"),
    "1.45.1": ("0.66b1", ""),
    "1.45.2": ("0.66b2", ""),
}


def installed() -> tuple[str, str]:
    """The versions of the SDK and of the instrumentations. Raises `ImportError` if one is missing."""
    from opentelemetry.instrumentation.version import __version__ as instrumentations
    from opentelemetry.sdk.version import __version__ as sdk

    return sdk, instrumentations


def is_tested(versions: tuple[str, str]) -> bool:
    """Whether the tests have run with this SDK and these instrumentations together."""
    sdk, instrumentations = versions
    return sdk in TESTED and TESTED[sdk][0] == instrumentations
