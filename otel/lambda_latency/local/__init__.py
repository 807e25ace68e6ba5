"""The system on a laptop: gateway, sandbox, table, payments provider, span receiver. No AWS, no Docker.

Names are imported on first use. The provider and the emulator run as `python -m lambda_latency.local...`, which imports
this package first: importing all names would cost each of them 0.3 to 0.4 s of CPU (the provider 0.8 to 1.1 s).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_latency.local.app.prepare.instrument import TracingMode, export_of, starting_themselves
    from lambda_latency.local.app.prepare.packages import cache_folder
    from lambda_latency.local.app.read.app import LocalApp, read_app
    from lambda_latency.local.app.read.differing import explained
    from lambda_latency.local.app.read.source import find_template
    from lambda_latency.local.app.serve.demo import Demo, run_demo
    from lambda_latency.local.app.serve.invoke import invoke_function
    from lambda_latency.local.app.serve.session import serve_app
    from lambda_latency.local.app.serve.system import System, SystemOptions
    from lambda_latency.local.app.triggers.calls import (
        FunctionCall,
        HttpCall,
        load_calls,
        send_call,
        with_credentials,
    )
    from lambda_latency.local.app.triggers.commands import commands, resource_commands
    from lambda_latency.local.errors import LocalError, UsageError
    from lambda_latency.local.faults import FaultPlan, read_plan
    from lambda_latency.local.front import Answered, CallRecorder
    from lambda_latency.local.log import readable
    from lambda_latency.local.sandbox.variables import Counts
    from lambda_latency.local.spans.collector import choose_collector
    from lambda_latency.local.spans.store import Observer

__all__ = [
    "Answered",
    "CallRecorder",
    "Counts",
    "Demo",
    "FaultPlan",
    "FunctionCall",
    "HttpCall",
    "LocalApp",
    "LocalError",
    "Observer",
    "System",
    "SystemOptions",
    "TracingMode",
    "UsageError",
    "cache_folder",
    "choose_collector",
    "commands",
    "explained",
    "export_of",
    "find_template",
    "invoke_function",
    "load_calls",
    "read_app",
    "read_plan",
    "readable",
    "resource_commands",
    "run_demo",
    "send_call",
    "serve_app",
    "starting_themselves",
    "with_credentials",
]

MODULES = {
    "app.serve.demo": ("Demo", "run_demo"),
    "app.serve.invoke": ("invoke_function",),
    "app.prepare.instrument": (
        "TracingMode",
        "export_of",
        "starting_themselves",
    ),
    "app.prepare.packages": ("cache_folder",),
    "app.read.app": ("LocalApp", "read_app"),
    "app.read.differing": ("explained",),
    "app.serve.session": ("serve_app",),
    "app.read.source": ("find_template",),
    "app.serve.system": ("SystemOptions", "System"),
    "app.triggers.calls": ("FunctionCall", "HttpCall", "load_calls", "send_call", "with_credentials"),
    "app.triggers.commands": ("commands", "resource_commands"),
    "spans.collector": ("choose_collector",),
    "errors": ("LocalError", "UsageError"),
    "faults": ("FaultPlan", "read_plan"),
    "front": ("Answered", "CallRecorder"),
    "sandbox.variables": ("Counts",),
    "log": ("readable",),
    "spans.store": ("Observer",),
}


def __getattr__(name: str) -> object:
    """Imports a public name from its module."""
    for module, names in MODULES.items():
        if name in names:
            return getattr(import_module(f"lambda_latency.local.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
