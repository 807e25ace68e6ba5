"""The whole system on a laptop: gateway, sandbox, table, payments provider, span receiver. Linux, no AWS, no Docker.

Names are loaded when they are used: the provider and the emulator are started as `python -m lambda_latency.local...`,
which imports this package first. All names would cost each of them 0.3 to 0.4 s of CPU more (provider: 0.8 to 1.1 s).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_latency.local.collector import choose_collector
    from lambda_latency.local.demo import run_demo
    from lambda_latency.local.faults import Plan, read_plan
    from lambda_latency.local.gateway import Answered
    from lambda_latency.local.record import readable
    from lambda_latency.local.serve import serve_system
    from lambda_latency.local.system import Options, System

__all__ = [
    "Answered",
    "Options",
    "Plan",
    "System",
    "choose_collector",
    "read_plan",
    "readable",
    "run_demo",
    "serve_system",
]

MODULES = {
    "collector": ("choose_collector",),
    "demo": ("run_demo",),
    "faults": ("Plan", "read_plan"),
    "gateway": ("Answered",),
    "record": ("readable",),
    "serve": ("serve_system",),
    "system": ("Options", "System"),
}


def __getattr__(name: str) -> object:
    """A public name, from its module."""
    for module, names in MODULES.items():
        if name in names:
            return getattr(import_module(f"lambda_latency.local.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
