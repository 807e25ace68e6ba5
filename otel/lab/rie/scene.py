"""A peer and a collector for one scenario, and what it saw."""

from collections.abc import Callable
from dataclasses import dataclass, field

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from lab.faults.collector import Collector
from lab.provider import Provider
from lab.rie.emulator import PARENT, Emulator
from lambda_latency.http import Server
from tests.sandbox.state import until


@dataclass
class Report:
    """What a scenario saw, and what of it is wrong."""

    facts: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def expect(self, subject: str, observed: object, expected: object) -> None:
        """Note a value that is not what it has to be."""
        if observed != expected:
            self.wrong.append(f"{subject}: {observed!r} instead of {expected!r}")


@dataclass
class EmulatorScene:
    """A peer and a collector for one scenario."""

    report: Report = field(default_factory=Report)
    collector: Collector = field(default_factory=Collector)
    peer: Server = field(default_factory=lambda: Server(Provider))

    def emulator(self, *, wrapped: bool = True, timeout_s: int = 6, managed: int = 0) -> Emulator:
        address = f"http://{self.peer.address}/"
        return Emulator(address, self.collector.url, wrapped=wrapped, timeout_s=timeout_s, managed=managed)

    def close(self) -> None:
        self.collector.close()
        self.peer.close()

    def wait(self, spans: int, limit_s: float = 10) -> None:
        """Until so many SERVER and CLIENT spans have arrived, or a while."""
        until(lambda: self.arrived() >= spans, limit_s)

    def arrived(self) -> int:
        """SERVER and CLIENT spans that have arrived. Those of an init and of connections are not counted: who has how
        many of them depends on the workers."""
        return sum(span.kind in (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT) for span in self.collector.spans())

    def servers(self) -> dict[bytes, Span]:
        """The SERVER spans that have arrived, each once, by their ids."""
        return {span.span_id: span for span in self.collector.spans() if span.kind == Span.SPAN_KIND_SERVER}

    def has_servers(self, count: int) -> bool:
        """Whether so many have arrived."""
        return len(self.servers()) >= count

    def trees(self, expected: int) -> None:
        """So many SERVER spans below Lambda's segment, each with its call, no orphan, none twice."""
        spans = self.collector.spans()
        by_id = {span.span_id: span for span in spans}
        roots = [span for span in by_id.values() if span.kind == Span.SPAN_KIND_SERVER]
        calls = [span for span in by_id.values() if span.kind == Span.SPAN_KIND_CLIENT]
        report = self.report
        report.facts.append(f"{len(by_id)} spans")
        report.expect("SERVER spans", len(roots), expected)
        report.expect("their parents", {span.parent_span_id.hex() for span in roots}, {PARENT} if roots else set())
        report.expect("calls below them", sum(span.parent_span_id in by_id for span in calls), len(calls))
        report.expect("CLIENT spans", len(calls), expected)
        report.expect("spans sent twice", len(spans) - len(by_id), 0)


Scenario = Callable[[EmulatorScene], None]


def complained(scene: EmulatorScene, emulator: Emulator) -> None:
    """The kit has nothing to say where all is well."""
    scene.report.wrong += [line for line in emulator.lines if "lambda-latency:" in line][:3]
