"""Evaluates `Fn::If` in a translated template with the values of the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambda_latency.local.app.read.parameters import ACCOUNT, REGION

__all__ = ["Choices"]

PSEUDO = {"AWS::Region": REGION, "AWS::Partition": "aws", "AWS::AccountId": ACCOUNT}
NO_VALUE = {"Ref": "AWS::NoValue"}


@dataclass(slots=True)
class Choices:
    """The conditions of a template. A condition that cannot be evaluated counts as true, the usual branch."""

    conditions: Mapping[str, Any]
    values: Mapping[str, str]
    _known: dict[str, bool] = field(default_factory=dict)

    def taken(self, value: Any) -> Any:
        """A value with each `Fn::If` replaced by its branch; None for a value that is left out."""
        if value == NO_VALUE:
            return None
        if isinstance(value, list):
            return [one for one in map(self.taken, value) if one is not None]
        if not isinstance(value, dict):
            return value
        choice = value.get("Fn::If")
        if len(value) == 1 and isinstance(choice, list) and len(choice) == 3:
            return self.taken(choice[1] if self.holds(str(choice[0])) else choice[2])
        return {name: found for name, one in value.items() if (found := self.taken(one)) is not None}

    def holds(self, name: str) -> bool:
        """Whether a condition is true."""
        if name not in self._known:
            self._known[name] = True  # for a condition that refers to itself
            self._known[name] = self._is_true(self.conditions.get(name))
        return self._known[name]

    def _is_true(self, what: Any) -> bool:
        if not isinstance(what, dict) or len(what) != 1:
            return True
        ((function, given),) = what.items()
        if function == "Condition":
            return self.holds(str(given))
        parts = given if isinstance(given, list) else [given]
        if function == "Fn::Not":
            return not self._is_true(parts[0])
        if function == "Fn::And":
            return all(map(self._is_true, parts))
        if function == "Fn::Or":
            return any(map(self._is_true, parts))
        return function != "Fn::Equals" or len({str(self._text(part)) for part in parts}) == 1

    def _text(self, part: Any) -> Any:
        name = part.get("Ref") if isinstance(part, dict) else None
        return self.values.get(str(name), PSEUDO.get(str(name), part)) if name else part
