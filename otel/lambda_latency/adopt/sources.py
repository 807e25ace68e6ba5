"""Finds uses of the X-Ray SDK and of Powertools' Tracer in a function's code, and uses that the bridge lacks."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lambda_latency.layer import bridged_modules
from lambda_latency.template import Diagnostic, imports_in, own_python_files

SDK, POWERTOOLS = "aws_xray_sdk", "aws_lambda_powertools"
SKIPPED = frozenset(["tests", "test", "node_modules", "venv", "__pycache__", "site-packages", SDK, POWERTOOLS])
NO_EFFECT = {
    "sampling_rules": "Lambda samples: write an X-Ray sampling rule",
    "plugins": "remove it: the resource's attributes describe Lambda",
    "daemon_address": "remove it: the kit exports spans",
    "emitter": "remove it: the kit exports spans",
    "sampler": "Lambda samples: write an X-Ray sampling rule",
}
TOO_LARGE = 2_000_000
YOURSELF = "look for aws_xray_sdk there yourself"


@dataclass(slots=True)
class Use:
    """The uses in one file. `sdk` and `tracer`: whether it uses the X-Ray SDK, or Powertools' Tracer."""

    sdk: bool = False
    tracer: bool = False
    findings: list[Diagnostic] = field(default_factory=list)


def sources_of(folder: Path) -> list[Path]:
    """The Python files of a function's folder, without packages and tests."""
    return [path for path in own_python_files(folder, SKIPPED) if path.is_file()]


def read_uses(path: Path, shown: str, content: bytes | None = None) -> Use:
    """Reads one file, or its new content; an unreadable one becomes a finding."""
    use = Use()
    try:
        content = path.read_bytes() if content is None else content
        if SDK.encode() not in content and POWERTOOLS.encode() not in content:
            return use
        if len(content) > TOO_LARGE:
            use.findings.append(Diagnostic(shown, 1, f"{len(content)} bytes, not read", YOURSELF))
            return use
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the app's own invalid escapes
            tree = ast.parse(content)
    except (SyntaxError, ValueError, OSError, RecursionError) as error:
        line = getattr(error, "lineno", None) or 1
        problem = f"not read: {getattr(error, 'msg', None) or error}"
        use.findings.append(Diagnostic(shown, line, problem, f"correct it, or {YOURSELF}"))
        use.sdk = True
        return use
    _add_uses(use, shown, tree)
    return use


def _add_uses(use: Use, shown: str, tree: ast.Module) -> None:
    """Adds the imports and calls of a module."""
    bridged = bridged_modules()
    for line, module, names in imports_in(tree):
        package = module.partition(".")[0]
        if package == SDK:
            use.sdk = True
            use.findings += _unbridged(shown, line, module, names, bridged)
        elif package == POWERTOOLS and "Tracer" in names:
            use.tracer = True
    for node in ast.walk(tree) if use.sdk or use.tracer else ():
        if isinstance(node, ast.Call):
            use.findings += _ineffective_calls(shown, node)


def _unbridged(shown: str, line: int, module: str, names: list[str], bridged: set[str]) -> Iterator[Diagnostic]:
    if module not in bridged:
        yield Diagnostic(shown, line, f"imports {module}, which the bridge lacks", "remove its uses")
    elif module == SDK and "core" not in names:
        for name in names:
            if f"{module}.{name}" not in bridged and name != "global_sdk_config":
                yield Diagnostic(shown, line, f"imports {name} of {module}, which the bridge lacks", "remove it")


def _ineffective_calls(shown: str, call: ast.Call) -> Iterator[Diagnostic]:
    name = ast.unparse(call.func).rpartition(".")[2]
    if name == "configure":
        for keyword in call.keywords:
            if keyword.arg in NO_EFFECT:
                yield Diagnostic(
                    shown, call.lineno, f"configure({keyword.arg}=...) has no effect", NO_EFFECT[keyword.arg]
                )
    elif name == "begin_segment":
        yield Diagnostic(shown, call.lineno, "begin_segment has no effect in Lambda", "write begin_subsegment")
    elif name in ("ignore_endpoint", "add_ignored"):
        yield Diagnostic(shown, call.lineno, f"{name} has no effect", "name its URLs in OTEL_PYTHON_EXCLUDED_URLS")
    elif name == "Tracer" and any(keyword.arg == "provider" for keyword in call.keywords):
        yield Diagnostic(shown, call.lineno, "Tracer(provider=...) is not the bridge", "remove it, or keep your own")
