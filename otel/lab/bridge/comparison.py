"""Documents of the two sides in one form, and what may differ between them, each with its reason."""

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
    by_id = {subsegment["id"]: subsegment for document in documents for subsegment in _flat(document)}
    causes = {
        exception["id"]: exception
        for subsegment in by_id.values()
        for exception in (_cause(subsegment) if isinstance(_cause(subsegment), list) else [])
    }
    handlers = {s["id"] for s in by_id.values() if s.get("parent_id") == SEGMENT and s.get("type") is None}
    roots = handlers or {SEGMENT}
    return _below(roots, by_id, causes)


def differences(use: str, sdk: Seen, bridge: Seen) -> str:
    """Both sides of what differs; nothing where nothing does."""
    sides = [{"answer": observed.answer, "tree": tree(observed.documents)} for observed in (sdk, bridge)]
    if sides[0] == sides[1]:
        return ""
    shown = [json.dumps(side, indent=1, sort_keys=True, default=str) for side in sides]
    return f"{use}\n--- the X-Ray SDK\n{shown[0]}\n--- the bridge\n{shown[1]}"


def _flat(document: Mapping[str, Any], parent: str | None = None) -> Iterable[dict[str, Any]]:
    subsegment = {**document, "parent_id": document.get("parent_id", parent)}
    yield subsegment
    for child in document.get("subsegments", ()):
        yield from _flat(child, document["id"])


def _below(parents: set[str], by_id: Mapping[str, dict[str, Any]], causes: Mapping[str, Any]) -> list[dict[str, Any]]:
    children = [s for s in by_id.values() if s.get("parent_id") in parents and s["name"] not in KITS]
    return [
        _plain(subsegment, causes) | {"children": _below({subsegment["id"]}, by_id, causes)}
        for subsegment in sorted(children, key=lambda subsegment: float(subsegment["start_time"]))
    ]


def _plain(subsegment: Mapping[str, Any], causes: Mapping[str, Any]) -> dict[str, Any]:
    annotations = subsegment.get("annotations") or {}
    parts = {
        "name": subsegment["name"],
        "namespace": subsegment.get("namespace") if subsegment.get("namespace") != "local" else None,
        "annotations": {key: value for key, value in annotations.items() if key not in INDEXED},
        "metadata": subsegment.get("metadata"),
        "http": _http(subsegment),
        "sql": subsegment.get("sql"),
        **{flag: subsegment.get(flag) or None for flag in ("fault", "error", "throttle")},
        "exceptions": [(error.get("type"), error.get("message")) for error in _exceptions(subsegment, causes)],
    }
    return {name: part for name, part in parts.items() if part}


def _http(subsegment: Mapping[str, Any]) -> dict[str, Any]:
    http = {name: dict(part) for name, part in (subsegment.get("http") or {}).items()}
    if http.get("response", {}).get("content_length") == 0:
        del http["response"]["content_length"]
    return {name: part for name, part in http.items() if part}


def _exceptions(subsegment: Mapping[str, Any], causes: Mapping[str, Any]) -> list[Any]:
    cause = _cause(subsegment)
    if isinstance(cause, list):
        return cause
    return [causes[cause]] if cause in causes else []


def _cause(subsegment: Mapping[str, Any]) -> Any:
    cause = subsegment.get("cause")
    return cause.get("exceptions") or [] if isinstance(cause, dict) else cause
