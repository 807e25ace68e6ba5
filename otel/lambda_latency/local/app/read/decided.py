"""A template without decided conditions, so that samcli, SAM's translator and the emulator need not decide them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lambda_latency.local.app.read.declared import Refused
from lambda_latency.local.app.read.parameters import ACCOUNT, REGION
from lambda_latency.local.app.read.source import Source
from lambda_latency.local.app.stack.prune import pruned
from lambda_latency.template import Undecided, node_of, resolve, value_of

CONDITIONS = ("If",)  # the functions that choose by a condition
FUNCTIONS = ("AWS::Serverless::Function", "AWS::Lambda::Function")
NOT_CREATED = "it was not created: its condition is false, or a dependency failed"


@dataclass(frozen=True, slots=True)
class Decided:
    """`raw` has only conditions on values that the emulator passes; `gone` are the logical ids of other functions,
    whose condition is false; `notes` are lines for the user.
    """

    raw: dict[str, Any]
    gone: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def refused(self, prefix: str) -> Iterator[Refused]:
        """The functions that do not exist, because their condition is false."""
        return (Refused(prefix + name, prefix + name, NOT_CREATED) for name in self.gone)


def decide(source: Source, chosen: Mapping[str, str], later: Collection[str]) -> Decided:
    """Decide the conditions of a template by its chosen parameters, its defaults, and placeholders for the others.

    `later` are the parameters whose values the emulator passes.
    """
    found = resolve(node_of(source.raw), chosen, REGION, only=CONDITIONS, later=later)
    raw = value_of(found.root)
    resources = source.raw["Resources"]
    gone = [name for name in resources if name not in raw["Resources"]]
    functions = (name for name in gone if resources[name].get("Type") in FUNCTIONS)
    notes = (_note(source, one, later) for one in found.undecided)
    return Decided(pruned(raw, gone), tuple(functions), tuple(notes))


def resolved(template: Mapping[str, Any], values: Mapping[str, str], only: Collection[str] = ()) -> dict[str, Any]:
    """A template with the values of these parameters, of the region and of the account. Values of resources stay as
    written, and so does everything that depends on other parameters.
    """
    declared = [name for name in template.get("Parameters") or {} if name not in values]
    pseudo = {"AWS::AccountId": ACCOUNT, **values}
    raw: dict[str, Any] = value_of(resolve(node_of(template), pseudo, REGION, only=only, later=declared).root)
    if not declared:
        raw.pop("Conditions", None)
    return raw


def _note(source: Source, one: Undecided, later: Collection[str]) -> str:
    line = source.line("Conditions", one.name)
    is_passed = any(name in later for name in one.why)
    said = f"{one.what} for functions; the emulator decides it for resources" if is_passed else str(one)
    return f"{source.path}:{line}: {said}"
