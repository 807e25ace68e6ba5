"""The variables `LAMBDA_LATENCY_*`: of the command and of the runtime, in one table. Doctor reads it, too."""

from __future__ import annotations

from typing import NamedTuple

from lambda_latency.spelling import nearest_names

__all__ = ["COMMAND", "PREFIX", "Variable", "runtime_names", "unread_variable", "variable_of"]

PREFIX = "LAMBDA_LATENCY_"
OF_THE_SANDBOX = f"{PREFIX}LOCAL_"  # set by the local system


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
    Variable("from", "`root` or `lambda`", "where a request begins: at its root, or at Lambda's own spans"),
    Variable(
        "color", "`auto`, `always` or `never`", "whether text is coloured; `auto`: on a terminal, without `NO_COLOR`"
    ),
    Variable("ignore", "list of rules", "rules that [`doctor`](doctor.md) leaves out, as `--ignore`", ","),
    Variable("region", "region", "AWS's region for `report --xray`, `report --alarm` and `fetch`, as `--region`"),
    Variable("clock-skew", "`correct` or `keep`", "whether clock differences between services are corrected"),
    Variable(
        "instrument", "`kit`, `layer` or `none`", "how the local system traces functions that start no OpenTelemetry"
    ),
    Variable("authorizers", "`on` or `off`", "whether the local system asks the Lambda authorizers"),
)


def variable_of(setting: str) -> str:
    """The name of a setting's variable."""
    return PREFIX + setting.upper().replace("-", "_")


def runtime_names() -> frozenset[str]:
    """The variables that the runtime reads in a function."""
    from lambda_latency.runtime.settings import SETTINGS

    return frozenset(setting.name for setting in SETTINGS)


def unread_variable(name: str) -> str | None:
    """What to do about a variable of this project's prefix that nothing reads; None if it is read."""
    command = {variable_of(variable.setting) for variable in COMMAND}
    if not name.startswith(PREFIX) or name.startswith(OF_THE_SANDBOX) or name in command:
        return None
    all_names = command | runtime_names()
    if name in all_names:
        return None
    settings = sorted(read_name.removeprefix(PREFIX) for read_name in all_names)
    near = nearest_names(name.removeprefix(PREFIX), settings, cutoff=0.7)
    return f"did you mean {PREFIX}{near[0]}?" if near else "remove it"
