"""The SDK's samplers, emitter and streaming, without effect: Lambda samples, and the kit exports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Sampler:
    """A sampler without effect: Lambda has decided."""

    def __init__(self, rules: Any = None) -> None:
        self.rules = rules

    def start(self) -> None:
        """Does nothing."""

    def should_trace(self, sampling_req: Any = None) -> bool:  # noqa: ARG002 - the SDK's
        """Always True: Lambda decides."""
        return True

    def load_local_rules(self, rules: Any) -> None:
        """Stores the rules."""
        self.rules = rules


class Emitter:
    """An emitter that sends nothing."""

    def __init__(self, daemon_address: str = "127.0.0.1:2000") -> None:
        self.daemon_address = daemon_address

    def set_daemon_address(self, address: str) -> None:
        """Stores the address."""
        self.daemon_address = address

    def send_entity(self, entity: Any) -> None:
        """Does nothing: the kit exports spans."""


class Streaming:
    """Streaming without effect: each span is exported separately."""

    def __init__(self, streaming_threshold: int = 30) -> None:
        self.streaming_threshold = streaming_threshold

    def is_eligible(self, segment: Any) -> bool:  # noqa: ARG002 - the SDK's
        """Always False."""
        return False

    def stream(self, entity: Any, callback: Callable[..., Any]) -> None:
        """Does nothing."""


runtime_context: dict[str, Any] = {}  # of plugins, which are without effect in Lambda


def nothing(*_: object, **__: object) -> None:
    """Does nothing: resource attributes describe Lambda, and the kit records calls of http.client by itself."""
