"""Translates the X-Ray SDK's variables, `AWS_XRAY_*`, and reports those that no longer have an effect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lambda_latency.adopt.splice import Spliced
from lambda_latency.template import Finding, Node

PREFIX, SERVICE, NAME = "AWS_XRAY_", "OTEL_SERVICE_NAME", "AWS_XRAY_TRACING_NAME"
BRIDGED = ("AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_SDK_ENABLED")  # the bridge reads these
OFF = ("n", "no", "f", "false", "off", "0")


def translate_variables(source: str, edits: Spliced, places: Iterable[Node]) -> Iterator[Finding]:
    """Sets the service name where the SDK's variable does, in each of `places`; yields findings left to a person."""
    for place in places:
        values = place.get("Environment", "Variables")
        for name, key, value in place.named("Environment", "Variables"):
            if name == NAME and values is not None and values.get(SERVICE) is None:
                text = edits.text[value.start : value.end]
                if value.kind == "scalar" and "\n" not in text:
                    edits.add_entries(values, {SERVICE: text})
                else:
                    yield Finding(source, key.line, f"{NAME} is computed", f"give {SERVICE} the same value")
            elif name == "AWS_XRAY_SDK_ENABLED" and str(value.value).lower() in OFF:
                yield Finding(source, key.line, f"{name} is {value.value}", "remove it, or the bridge records nothing")
            elif name.startswith(PREFIX) and name not in (NAME, *BRIDGED):
                yield Finding(
                    source, key.line, f"{name} has no effect", "remove it: the kit exports and logs by itself"
                )
