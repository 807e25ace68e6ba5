"""Labels of a request: attributes of its spans and resources beside those that tell the call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["NO_LABELS", "Labels"]


@dataclass(frozen=True, slots=True)
class Labels:
    """Attributes by service and kind of span, and of the resource by service.

    `hit`: whether causes with `when` "labels" hit the request. All its steps take `times` as long. `measured` are
    attributes of its first span that have its duration in milliseconds.
    """

    spans: Mapping[tuple[str, int], Mapping[str, object]] = field(default_factory=dict)
    resources: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    hit: bool = False
    times: float = 1.0
    measured: tuple[str, ...] = ()


NO_LABELS = Labels()
