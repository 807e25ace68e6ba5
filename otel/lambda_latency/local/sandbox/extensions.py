"""The extensions of one environment: registrations, their events, and their readiness for the next event."""

from __future__ import annotations

import queue
import uuid
from dataclasses import dataclass, field

from lambda_latency.local.sandbox.runtime_api import ExtensionEvent, Invocation, Refusal

MOST = 10


@dataclass(slots=True)
class Extension:
    """One internal extension, which runs inside the runtime's process."""

    name: str
    events: list[str]
    waits: bool = False  # whether it waits for an event
    inbox: queue.SimpleQueue[ExtensionEvent | None] = field(default_factory=queue.SimpleQueue)


class Extensions:
    """The internal extensions of an environment; external ones are not supported. The environment holds the lock."""

    def __init__(self) -> None:
        self._known: dict[str, Extension] = {}

    def __bool__(self) -> bool:
        return bool(self._known)

    def register(self, name: str, events: list[str]) -> str:
        """Registers an extension; returns its identifier. Raises `Refusal` for an invalid registration."""
        for event in events:
            if event != "INVOKE":  # an extension inside the runtime's process gets no SHUTDOWN
                raise Refusal(403, "Extension.InvalidEventType", f"{event}: not an event for an internal extension")
        if any(extension.name == name for extension in self._known.values()):
            raise Refusal(403, "Extension.InvalidExtensionState", "Extension with this name already registered")
        if len(self._known) >= MOST:
            raise Refusal(403, "Extension.TooManyExtensions", f"Extension limit ({MOST}) reached")
        identifier = str(uuid.uuid4())
        self._known[identifier] = Extension(name, events)
        return identifier

    def get(self, identifier: str) -> Extension:
        """The extension of an identifier. Raises `Refusal` for an unknown one."""
        if (extension := self._known.get(identifier)) is None:
            raise Refusal(403, "Extension.UnknownExtensionIdentifier", f"Unknown extension {identifier}")
        return extension

    @property
    def all_wait(self) -> bool:
        """Whether every extension has asked for its next event."""
        return all(extension.waits for extension in self._known.values())

    def expect(self) -> None:
        """Begins an invocation: each extension with INVOKE events must ask for another event after it."""
        for extension in self._known.values():
            if "INVOKE" in extension.events:
                extension.waits = False

    def hand(self, invocation: Invocation) -> None:
        """Sends the invocation to each extension with INVOKE events."""
        body = {
            "eventType": "INVOKE",
            "deadlineMs": invocation.deadline_ms,
            "requestId": invocation.request_id,
            "invokedFunctionArn": invocation.function_arn,
            "tracing": {"type": "X-Amzn-Trace-Id", "value": invocation.trace_header},
        }
        for extension in self._known.values():
            if "INVOKE" in extension.events:
                extension.inbox.put(ExtensionEvent(str(uuid.uuid4()), body))

    def release(self) -> None:
        """Releases waiting extensions: there is no further event."""
        for extension in self._known.values():
            extension.inbox.put(None)
