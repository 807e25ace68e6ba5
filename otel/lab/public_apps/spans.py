"""What ran in the traces of an app's calls: functions, and the calls and own spans of the code of each."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field

from lambda_latency.trace import Span

__all__ = ["Spans"]

FUNCTION = "AWS::Lambda::Function"  # the origin of the span that the platform ends an invocation with
OWN_SCOPES = ("lambda_latency.local", "lambda_latency.runtime")  # the platform's spans, and the kit's about a handler


@dataclass
class Spans:
    """The spans of a running app, by trace."""

    _of: dict[str, list[Span]] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def watch(self, spans: list[Span]) -> None:
        """Keep what the app's store has received."""
        with self._changed:
            for span in spans:
                self._of.setdefault(span.trace_id, []).append(span)
            self._changed.notify_all()

    def told(self, traces: Collection[str], invocations: int, patience_s: float) -> list[str]:
        """Each function that ran in some traces, with the names of the spans of its code in the order of their start
        (`Work: S3.PutObject, S3.HeadObject`), once so many functions have ended.
        """
        with self._changed:
            self._changed.wait_for(lambda: len(self._functions(traces)) >= invocations, patience_s)
            return [self._told(traces, name) for name in self._functions(traces)]

    def _functions(self, traces: Collection[str]) -> list[str]:
        ended = [one for trace in traces for one in self._of.get(trace, ()) if one.origin == FUNCTION]
        return sorted({str(one.resource.get("service.name")) for one in ended})

    def _told(self, traces: Collection[str], function: str) -> str:
        spans = [one for trace in traces for one in self._of[trace] if one.resource.get("service.name") == function]
        of_code = sorted((one.start_ns, one.name) for one in spans if one.scope.name not in OWN_SCOPES)
        return ": ".join(filter(None, (function, ", ".join(name for _, name in of_code))))
