"""What keeps a cold start short: stand-ins for modules, constants, cheap values.

Stand-ins and lean spans are used with the versions of OpenTelemetry with which the runtime's tests have run. With any
other version everything is imported, the SDK makes the spans, and one line says so: the answers and the spans are the
same, and the cold start and the requests take longer.
"""

from __future__ import annotations

__all__ = ["TESTED", "installed", "is_tested"]

# By version of the SDK, the version of the instrumentations: those of requirements/versions (`lab layers` compares).
TESTED = {
    "1.33.1": "0.54b1",
    "1.38.0": "0.59b0",
    "1.39.1": "0.60b1",
    "1.40.0": "0.61b0",
    "1.42.1": "0.63b1",
    "1.44.0": "0.65b0",
    "1.45.1": "0.66b1",
    "1.45.2": "0.66b2",
}


def installed() -> tuple[str, str]:
    """Return the versions of the SDK and of the instrumentations. Raises `ImportError` if one is missing."""
    from opentelemetry.instrumentation.version import __version__ as instrumentations
    from opentelemetry.sdk.version import __version__ as sdk

    return sdk, instrumentations


def is_tested(versions: tuple[str, str]) -> bool:
    """Whether the tests have run with this SDK and these instrumentations together."""
    sdk, instrumentations = versions
    return TESTED.get(sdk) == instrumentations
