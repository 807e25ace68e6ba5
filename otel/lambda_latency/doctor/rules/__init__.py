"""All rules in one table: name, severity, effect, explanation, check."""

from lambda_latency.doctor.finding import Rule, rules_in
from lambda_latency.doctor.rules import (
    clients,
    collectors,
    handlers,
    layers,
    limits,
    packages,
    roles,
    template,
    tracing,
    variables,
    wrappers,
)

__all__ = ["RULES"]

MODULES = (
    template,
    layers,
    wrappers,
    variables,
    packages,
    collectors,
    tracing,
    roles,
    limits,
    clients,
    handlers,
)
RULES: tuple[Rule, ...] = tuple(rule for module in MODULES for rule in rules_in(vars(module)))
