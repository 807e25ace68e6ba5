"""Problems with the input: unreadable parts and contradictions. They are reported and counted, never raised."""

from __future__ import annotations

from dataclasses import dataclass

# The reason of a document that has nothing for a report. Collectors write all signals into one file or folder.
NO_TRACES = "OTLP logs or metrics, and not traces: name the file with resourceSpans"
# What to do with traces in a format that is not read.
BY_COLLECTOR = (
    "an OpenTelemetry Collector turns other traces into OTLP (receiver jaeger, zipkin, skywalking, datadog, ...; "
    "exporter file)"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem: its source (a file or a trace id), its line, its reason, and whether something was left out."""

    source: str
    line: int | None
    reason: str
    effect: str = "skipped"  # or "counted": the input was used nevertheless

    def __str__(self) -> str:
        place = self.source if self.line is None else f"{self.source}:{self.line}"
        return f"{place}: {self.reason}"
