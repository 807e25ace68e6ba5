"""Implements `patch`: wraps modules of the function's code; the kit traces libraries automatically."""

from __future__ import annotations

import importlib.util
import inspect
import logging
import re
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, TypeAlias

from lambda_latency.bridge.context import is_on

Capture: TypeAlias = Callable[[str], Callable[[Any], Any]]

log = logging.getLogger("aws_xray_sdk.core.patcher")
SUPPORTED_MODULES = (
    "aiobotocore", "botocore", "pynamodb", "requests", "sqlite3", "mysql", "httplib", "pymongo", "pymysql", "psycopg2",
    "psycopg", "pg8000", "sqlalchemy_core", "httpx",
)  # fmt: skip
BOTOCORE = ("boto3", "aioboto3", "botocore", "aiobotocore")
_patched: set[str] = set()


def patch(
    capture: Capture, modules_to_patch: Iterable[str], raise_errors: bool, ignore_module_patterns: Iterable[str] | None
) -> None:
    """Records all functions and methods of modules of the function. Raises Exception for an unknown one, as the SDK."""
    names = {*modules_to_patch} - {*SUPPORTED_MODULES, *BOTOCORE}
    unknown = sorted(name for name in names if not _is_there(name))
    if unknown and raise_errors:
        raise Exception(f"modules {', '.join(unknown)} are currently not supported for patching")
    if not is_on():
        return
    ignored = [re.compile(pattern) for pattern in ignore_module_patterns or ()]
    for name in sorted(names - {*unknown}):
        if name.startswith("."):
            raise Exception(f"relative packages not supported for patching: {name}")
        if name not in _patched and not any(pattern.match(name) for pattern in ignored):
            _patched.add(name)
            _when_imported(capture, name, ignored)


def _is_there(name: str) -> bool:
    """Whether a module can be imported, or its name is relative."""
    try:
        return name.startswith(".") or name in sys.modules or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _when_imported(capture: Capture, name: str, ignored: list[re.Pattern[str]]) -> None:
    from lambda_latency.runtime.imports import ImportHook

    def wrap(module: ModuleType) -> None:
        _record(capture, module, module.__name__)
        for imported in sorted(sys.modules):
            is_new = imported.startswith(f"{name}.") and imported not in _patched
            if is_new and not any(pattern.match(imported) for pattern in ignored):
                _patched.add(imported)
                _record(capture, sys.modules[imported], imported)

    hook = ImportHook()
    hook.install()
    hook.on_import(name, wrap)


def _record(capture: Capture, owner: Any, module: str) -> None:
    """Wraps the functions defined in a module, including methods of its classes."""
    for name, member in list(vars(owner).items()):
        plain = member.__func__ if isinstance(member, staticmethod) else member
        if inspect.isclass(member) and member.__module__ == module and member is not owner:
            _record(capture, member, module)
        elif inspect.isfunction(plain) and plain.__module__ == module:
            special = name.startswith("__") and name.endswith("__")
            shown = f"{owner.__name__}.{name}" if special else name
            setattr(owner, name, capture(shown)(member))
