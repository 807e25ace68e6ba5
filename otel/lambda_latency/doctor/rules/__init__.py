"""All rules in one table: name, severity, effect, explanation, check."""

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
from lambda_latency.doctor.rules.template import unreadable

__all__ = ["RULES", "unreadable"]

RULES = (
    *template.RULES,
    *layers.RULES,
    *wrappers.RULES,
    *variables.RULES,
    *packages.RULES,
    *collectors.RULES,
    *tracing.RULES,
    *roles.RULES,
    *limits.RULES,
    *clients.RULES,
    *handlers.RULES,
)
