"""Prices of AWS by region, and what a month of tracing costs by them.

What only `lambda-latency cost` needs is loaded on first use: a report and the function that explains alarms need the
prices alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from lambda_latency.prices.listed import LISTED, MOST, PRICED, Origin, Prices, read_prices

if TYPE_CHECKING:
    from lambda_latency.prices.account import AccountUsage, account_usage_policy, read_account
    from lambda_latency.prices.month import Usage, bills_as_json, bills_as_text, read_usage

__all__ = [
    "LISTED",
    "MOST",
    "PRICED",
    "AccountUsage",
    "Origin",
    "Prices",
    "Usage",
    "account_usage_policy",
    "bills_as_json",
    "bills_as_text",
    "read_account",
    "read_prices",
    "read_usage",
]

MODULES = {
    "account": ("AccountUsage", "account_usage_policy", "read_account"),
    "month": ("Usage", "bills_as_json", "bills_as_text", "read_usage"),
}


def __getattr__(name: str) -> object:
    """A name that is loaded on first use, from its module."""
    for module, names in MODULES.items():
        if name in names:
            return getattr(import_module(f"lambda_latency.prices.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
