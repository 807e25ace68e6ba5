"""The X-Ray SDK's own variables, `AWS_XRAY_*`: translated, or said where they have no effect any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lambda_latency.adopt.splice import Spliced
from lambda_latency.template import Finding, Node

__all__ = ["translate_variables"]

PREFIX, SERVICE, NAME = "AWS_XRAY_", "OTEL_SERVICE_NAME", "AWS_XRAY_TRACING_NAME"
BRIDGED = ("AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_SDK_ENABLED")  # which the bridge reads
OFF = ("n", "no", "f", "false", "off", "0")


def translate_variables(source: str, edits: Spliced, places: Iterable[Node]) -> Iterator[Finding]:
    """Name the service where the SDK's variable does, in each of these properties; yields what is a person's."""
    for place in places:
        values = place.get("Environment", "Variables")
        for name, key, value in values.named() if values is not None else ():
            if name == NAME and values is not None and values.get(SERVICE) is None:
                text = edits.text[value.start : value.end]
                if value.kind == "scalar" and "\n" not in text:
                    edits.add_entries(values, {SERVICE: text})
                else:
                    yield Finding(source, key.line, f"{NAME} is computed", f"give {SERVICE} the same value")
            elif name == "AWS_XRAY_SDK_ENABLED" and str(value.value).lower() in OFF:
                yield Finding(source, key.line, f"{name} is {value.value}", "remove it, or the bridge records nothing")
            elif name.startswith(PREFIX) and name not in (NAME, *BRIDGED):
                yield Finding(source, key.line, f"{name} has no effect", "remove it: the kit sends, and logs by itself")
