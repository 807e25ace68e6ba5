"""Documents of the two sides in one form, and what may differ between them, each with its reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from lab.bridge.sides import INDEXED, SEGMENT, Seen

ALWAYS = (
    "ids and times",
    "the frames of a stack: the SDK has those of the recorder's caller, the bridge those of the exception",
    "the names of SDK and versions in `aws` and `service`",
    "a response's content_length of 0, which X-Ray's exporter always writes",
    "an exception that passes several subsegments: the SDK refers to the first one, the exporter writes it in each",
    "the kit's spans of starts (`init`) and of new connections (`dns`, `tcp`, `tls`), which the SDK does not have",
    "annotations that collector.yaml makes of HTTP attributes in any span",
)
KITS = ("init", "dns", "tcp", "tls")
FLAG = "the exporter derives `error` and `throttle` from an HTTP status, so there is one"
SQL = "the exporter writes the span's name as `url`, and the address with the database's name as `connection_string`"
WEB = "the exporter has no `content_length` (it is in the metadata), and any `client_ip` is `x_forwarded_for` to it"
# Uses that may differ, and why. One that does not differ any more is a failure, too.
BUT: Mapping[str, str] = {
    "order_generator_that_is_closed": "an exception without a message has an empty one, as OpenTelemetry writes it",
    "annotation_on_lambdas_segment": "the SDK raises: Lambda's segment is not changed",
    "async_gather": "the SDK nests tasks that run at once into one another; the bridge does not",
    "aws_namespace": "the exporter leaves the attribute that makes the namespace in the metadata",
    "django_request": WEB,
    "django_request_that_fails": WEB,
    **dict.fromkeys(("flask_request", "flask_request_not_found", "flask_request_that_fails"), WEB),
    "flask_names_by_host": WEB,
    "configured": "with a threshold the SDK in Lambda keeps subsegments until there are so many, or for ever",
    "error_flag": FLAG,
    "large_metadata": "an attribute has at most OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT characters: long values are cut",
    "sql": SQL,
    "streamed": "with a threshold the SDK in Lambda keeps subsegments until there are so many, or for ever",
    "throttle_flag": FLAG,
    "traced_connection": SQL,
}


def tree(documents: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The subsegments below Lambda's segment, or below the handler's span, in the order of their starts."""
    found = {one["id"]: one for document in documents for one in _flat(document)}
    causes = {
        exception["id"]: exception
        for one in found.values()
        for exception in (_cause(one) if isinstance(_cause(one), list) else [])
    }
    handlers = {one["id"] for one in found.values() if one.get("parent_id") == SEGMENT and one.get("type") is None}
    tops = handlers or {SEGMENT}
    return _below(tops, found, causes)


def differences(use: str, sdk: Seen, bridge: Seen) -> str:
    """Both sides of what differs; nothing where nothing does."""
    sides = [{"answer": seen.answer, "tree": tree(seen.documents)} for seen in (sdk, bridge)]
    if sides[0] == sides[1]:
        return ""
    shown = [json.dumps(side, indent=1, sort_keys=True, default=str) for side in sides]
    return f"{use}\n--- the X-Ray SDK\n{shown[0]}\n--- the bridge\n{shown[1]}"


def _flat(document: Mapping[str, Any], parent: str | None = None) -> Iterable[dict[str, Any]]:
    one = {**document, "parent_id": document.get("parent_id", parent)}
    yield one
    for child in document.get("subsegments", ()):
        yield from _flat(child, document["id"])


def _below(parents: set[str], found: Mapping[str, dict[str, Any]], causes: Mapping[str, Any]) -> list[dict[str, Any]]:
    children = [one for one in found.values() if one.get("parent_id") in parents and one["name"] not in KITS]
    return [
        _plain(one, causes) | {"children": _below({one["id"]}, found, causes)}
        for one in sorted(children, key=lambda one: float(one["start_time"]))
    ]


def _plain(one: Mapping[str, Any], causes: Mapping[str, Any]) -> dict[str, Any]:
    cause = _cause(one)
    exceptions = cause if isinstance(cause, list) else [causes[cause]] if cause in causes else []
    http = {name: dict(part) for name, part in (one.get("http") or {}).items()}
    if http.get("response", {}).get("content_length") == 0:
        del http["response"]["content_length"]
    parts = {
        "name": one["name"],
        "namespace": one.get("namespace") if one.get("namespace") != "local" else None,
        "annotations": {key: value for key, value in (one.get("annotations") or {}).items() if key not in INDEXED},
        "metadata": one.get("metadata"),
        "http": {name: part for name, part in http.items() if part},
        "sql": one.get("sql"),
        **{flag: one.get(flag) or None for flag in ("fault", "error", "throttle")},
        "exceptions": [(each.get("type"), each.get("message")) for each in exceptions],
    }
    return {name: part for name, part in parts.items() if part}


def _cause(one: Mapping[str, Any]) -> Any:
    cause = one.get("cause")
    return cause.get("exceptions") or [] if isinstance(cause, dict) else cause
