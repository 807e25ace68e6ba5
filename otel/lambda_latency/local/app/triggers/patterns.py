"""An event that a rule of EventBridge matches, from its event pattern.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

# Comparisons whose operand matches itself.
ITSELF = ("prefix", "suffix", "equals-ignore-case")


def matching_entry(pattern: Mapping[str, Any]) -> dict[str, str] | None:
    """An entry for PutEvents that a pattern matches; None if only an AWS service sends such events.

    Comparisons are matched where one value suffices; the others are left to the reader.
    """
    source = _first(pattern.get("source"), "my.app")
    if source.startswith("aws."):
        return None
    detail = _matching(pattern.get("detail") or {})
    return {"Source": source, "DetailType": _first(pattern.get("detail-type"), "test"), "Detail": json.dumps(detail)}


def _first(alternatives: Any, otherwise: str) -> str:
    return str(_value(alternatives[0])) if isinstance(alternatives, list) and alternatives else otherwise


def _matching(pattern: Any) -> Any:
    """A value that a part of a pattern matches: the first alternative of each field."""
    if isinstance(pattern, list):
        return _value(pattern[0]) if pattern else ""
    if not isinstance(pattern, dict):
        return pattern
    either = pattern.get("$or")
    fields = {name: _matching(one) for name, one in pattern.items() if name != "$or" and not _is_absent(one)}
    return fields | (_matching(either[0]) if isinstance(either, list) and either else {})


def _is_absent(alternatives: Any) -> bool:
    return bool(alternatives == [{"exists": False}])


def _value(alternative: Any) -> Any:
    """A value that matches one alternative, which is a value or a comparison."""
    if not isinstance(alternative, dict) or len(alternative) != 1:
        return alternative
    ((comparison, operand),) = alternative.items()
    if comparison in ITSELF:
        return operand if isinstance(operand, str) else _value(operand)
    if comparison == "wildcard":
        return str(operand).replace("*", "")
    if comparison == "numeric" and isinstance(operand, list) and len(operand) > 1:
        return operand[1] + {">": 1, "<": -1}.get(operand[0], 0)
    return "other" if comparison == "anything-but" else "1"
