"""The variables `LAMBDA_LATENCY_*`: of the command and of the runtime, in one table. Doctor reads it, too."""

from __future__ import annotations

from typing import NamedTuple

from lambda_latency.spelling import nearest_names

__all__ = ["COMMAND", "PREFIX", "Variable", "runtime_names", "unread_variable", "variable_of"]

PREFIX = "LAMBDA_LATENCY_"
OF_THE_SANDBOX = f"{PREFIX}LOCAL_"  # set by the local system for its own processes


class Variable(NamedTuple):
    """A setting of the command: its name in a file, its type, one line of documentation.

    `separator` stands between the values of a list in the variable; without one, the variable has one value.
    """

    setting: str
    type: str
    doc: str
    separator: str = ""


COMMAND = (
    Variable("ours", "list of patterns", "services, hosts and parts that are internal, as `--ours`", ","),
    Variable("theirs", "list of patterns", "services, hosts and parts that are external, as `--theirs`", ","),
    Variable("slow", "milliseconds", "a request is slow above it, as `--slow`"),
    Variable("fail-if", "list of conditions", "as `--fail-if`", ";"),
    Variable("from", "`root` or `lambda`", "where a request begins, as `--from`"),
    Variable("color", "`auto`, `always` or `never`", "as `--color`"),
    Variable("ignore", "list of rules", "rules that [`doctor`](doctor.md) leaves out, as `--ignore`", ","),
    Variable("region", "region", "AWS's region for `report --xray`, `fetch` and `explain`, as `--region`"),
)


def variable_of(setting: str) -> str:
    """The name of a setting's variable."""
    return PREFIX + setting.upper().replace("-", "_")


def runtime_names() -> frozenset[str]:
    """The variables that the runtime reads in a function."""
    from lambda_latency.runtime.settings import SETTINGS

    return frozenset(one.name for one in SETTINGS)


def unread_variable(name: str) -> str | None:
    """What to do about a variable of this project's prefix that nothing reads; None if it is read."""
    command = {variable_of(one.setting) for one in COMMAND}
    if not name.startswith(PREFIX) or name.startswith(OF_THE_SANDBOX) or name in command:
        return None
    known = command | runtime_names()
    if name in known:
        return None
    near = nearest_names(name.removeprefix(PREFIX), sorted(one.removeprefix(PREFIX) for one in known), cutoff=0.7)
    return f"did you mean {PREFIX}{near[0]}?" if near else "remove it"
