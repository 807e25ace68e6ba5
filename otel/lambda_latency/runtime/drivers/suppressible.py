"""A tracer provider for instrumentations that ignore the suppression inside of another call."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.trace import INVALID_SPAN, get_current_span

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Span, TracerProvider

__all__ = ["Suppressible"]

# The span that an instrumentation gets instead: an invalid one, or the outer call's, to which it adds attributes.
INSTEAD: dict[str, Callable[[], Span]] = {"asyncpg": lambda: INVALID_SPAN, "aiokafka": get_current_span}


class Suppressible:
    """As the given provider, for one library."""

    def __init__(self, provider: TracerProvider, library: str) -> None:
        self._provider = provider
        self._instead = INSTEAD[library]
        self._tracer: Any = None

    def get_tracer(self, *args: Any, **kwargs: Any) -> Any:
        """As the original provider."""
        self._tracer = self._provider.get_tracer(*args, **kwargs)
        return self

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        """As the original tracer, unless spans are suppressed."""
        if not is_instrumentation_enabled():
            return nullcontext(self._instead())
        return self._tracer.start_as_current_span(*args, **kwargs)
