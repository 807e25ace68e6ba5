"""Recognizes the packaged example, whose functions call a payments API that the laptop has a stand-in for."""

from __future__ import annotations

from typing import Any

from lambda_latency.local.app.read.source import Source

PAYMENTS = "PAYMENTS_URL"  # the address of the API that `lambda_latency.local.provider` emulates


def calls_payments(source: Source) -> bool:
    """Whether the functions of a template call the payments API of the example."""
    shared = (source.raw.get("Globals") or {}).get("Function") or {}
    everyone = [shared, *((one or {}).get("Properties") for one in source.raw["Resources"].values())]
    return any(PAYMENTS in _variables(one) for one in everyone if isinstance(one, dict))


def _variables(properties: dict[str, Any]) -> dict[str, Any]:
    environment = properties.get("Environment")
    found = environment.get("Variables") if isinstance(environment, dict) else None
    return found if isinstance(found, dict) else {}
