"""Finds uses of the X-Ray SDK and of Powertools' Tracer in a function's code, and uses that the bridge lacks."""

from __future__ import annotations

import ast
import contextlib
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lambda_latency.layer import layer_files
from lambda_latency.template import Finding, own_python_files

SDK, POWERTOOLS = "aws_xray_sdk", "aws_lambda_powertools"
NOT_THE_FUNCTIONS = frozenset(
    ["tests", "test", "node_modules", "venv", "__pycache__", "site-packages", SDK, POWERTOOLS]
)
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

    path: Path
    sdk: bool = False
    tracer: bool = False
    left: list[Finding] = field(default_factory=list)


def sources_of(folder: Path) -> list[Path]:
    """The Python files of a function's folder, without packages and tests."""
    return [path for path in own_python_files(folder, NOT_THE_FUNCTIONS) if path.is_file()]


def shared_names(paths: Iterable[Path]) -> set[str]:
    """The names that modules import from modules other than the SDK's; one of them may be the recorder."""
    found: set[str] = set()
    for path in paths:
        with contextlib.suppress(SyntaxError, ValueError, OSError, RecursionError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").partition(".")[0] != SDK):
                    found |= {alias.name for alias in node.names}
    return found


def read_uses(path: Path, shown: str, content: bytes | None = None) -> Use:
    """Reads one file, or its new content; an unreadable one becomes a finding."""
    use = Use(path)
    try:
        content = path.read_bytes() if content is None else content
        if SDK.encode() not in content and POWERTOOLS.encode() not in content:
            return use
        if len(content) > TOO_LARGE:
            use.left.append(
                Finding(shown, 1, f"{len(content)} bytes, not read", "look for aws_xray_sdk there yourself")
            )
            return use
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the app's own invalid escapes
            tree = ast.parse(content)
    except (SyntaxError, ValueError, OSError, RecursionError) as error:
        line = getattr(error, "lineno", None) or 1
        what = f"not read: {getattr(error, 'msg', None) or error}"
        use.left.append(Finding(shown, line, what, f"correct it, or {YOURSELF}"))
        use.sdk = True
        return use
    known = _names()
    for node in ast.walk(tree):
        for module, names in _imported(node):
            if module.partition(".")[0] == SDK:
                use.sdk = True
                use.left += _unknown(shown, node.lineno, module, names, known)  # type: ignore[attr-defined]
            elif module.partition(".")[0] == POWERTOOLS and "Tracer" in names:
                use.tracer = True
        if isinstance(node, ast.Call) and use.sdk | use.tracer:
            use.left += _calls(shown, node)
    return use


def _imported(node: ast.AST) -> Iterator[tuple[str, list[str]]]:
    if isinstance(node, ast.Import):
        yield from ((alias.name, []) for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module, [alias.name for alias in node.names]


def _names() -> set[str]:
    """The SDK's modules that the layer provides."""
    found = set()
    for name in layer_files():
        if name.startswith(f"python/{SDK}/"):
            parts = name.removeprefix("python/").removesuffix(".py").split("/")
            found.add(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


def _unknown(shown: str, line: int, module: str, names: list[str], known: set[str]) -> Iterator[Finding]:
    if module not in known:
        yield Finding(shown, line, f"imports {module}, which the bridge lacks", "remove its uses")
    elif module == SDK and "core" not in names:
        for name in names:
            if f"{module}.{name}" not in known and name != "global_sdk_config":
                yield Finding(shown, line, f"imports {name} of {module}, which the bridge lacks", "remove it")


def _calls(shown: str, call: ast.Call) -> Iterator[Finding]:
    function = call.func
    name = (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )
    if name == "configure":
        for keyword in call.keywords:
            if keyword.arg in NO_EFFECT:
                yield Finding(shown, call.lineno, f"configure({keyword.arg}=...) has no effect", NO_EFFECT[keyword.arg])
    elif name == "begin_segment":
        yield Finding(shown, call.lineno, "begin_segment has no effect in Lambda", "write begin_subsegment")
    elif name in ("ignore_endpoint", "add_ignored"):
        yield Finding(shown, call.lineno, f"{name} has no effect", "name its URLs in OTEL_PYTHON_EXCLUDED_URLS")
    elif name == "Tracer":
        for keyword in call.keywords:
            if keyword.arg == "provider":
                yield Finding(
                    shown, call.lineno, "Tracer(provider=...) is not the bridge", "remove it, or keep your own"
                )
