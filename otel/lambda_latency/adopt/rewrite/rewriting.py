"""Rewrites the text of one module."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import libcst as cst
from libcst import matchers
from libcst.metadata import MetadataWrapper

from lambda_latency.adopt.rewrite.deciding import Deciding
from lambda_latency.adopt.rewrite.editing import Editing, Local, without_lines
from lambda_latency.adopt.rewrite.names import Names, dotted, read_names
from lambda_latency.template import Finding

__all__ = ["Rewritten", "rewrite"]

OTEL = "opentelemetry"


@dataclass(slots=True)
class Rewritten:
    """The new text, and findings about code that stays with the bridge."""

    text: str
    left: list[Finding] = field(default_factory=list)


def rewrite(text: str, shown: str, shared: Collection[str] = ()) -> Rewritten:
    """Replaces the X-Ray SDK's calls by OpenTelemetry's where that certainly records the same.

    `shared`: names that other modules of the app import, which stay. Raises `libcst.ParserSyntaxError`.
    """
    module = cst.parse_module(text)
    names = read_names(module)
    if not names.imports:
        return Rewritten(text)
    line = next((one for one in _bindings(module) if one in {names.recorder, *names.patches}), "")
    if line:
        return Rewritten(text, [Finding(shown, 1, f"{line} is also a local name in a function", "rename it there")])
    wrapper = MetadataWrapper(module)
    deciding = Deciding(read_names(wrapper.module))
    wrapper.visit(deciding)
    local = _local(module, names)
    edited = wrapper.module.visit(Editing(deciding.decided, local))
    edited = _without_imports(edited, shared)
    edited = _with_imports(edited, local, module)
    left = [Finding(shown, number, what, todo) for number, what, todo in deciding.decided.left]
    left += [
        Finding(shown, 1, f"{alias} stays", "other modules import it from here: import it there")
        for alias in sorted({names.recorder, *names.patches} & set(shared))
    ]
    return Rewritten(edited.code, left)


def _bindings(module: cst.Module) -> set[str]:
    """The names of parameters and assignment targets."""
    found = matchers.findall(module, matchers.Param() | matchers.AssignTarget(matchers.Name()))
    nodes = [one.name if isinstance(one, cst.Param) else getattr(one, "target", None) for one in found]
    return {one.value for one in nodes if isinstance(one, cst.Name)}


def _local(module: cst.Module, names: Names) -> Local:
    """The names to use: the module's existing names of the same objects, or unused ones."""
    imported = {
        (dotted(one.module), alias.evaluated_name): alias.evaluated_alias or alias.evaluated_name
        for line in module.body
        if isinstance(line, cst.SimpleStatementLine)
        for one in line.body
        if isinstance(one, cst.ImportFrom) and one.module is not None and not isinstance(one.names, cst.ImportStar)
        for alias in one.names
    }
    trace = imported.get((OTEL, "trace"))
    known = _at_top(module)
    has_tracer = trace is not None and f"tracer = {trace}.get_tracer(__name__)" in known
    return Local(
        trace or names.free("trace"),
        "tracer" if has_tracer else names.free("tracer"),
        "json" if "import json" in known else names.free("json"),
    )


def _without_imports(module: cst.Module, shared: Collection[str]) -> cst.Module:
    """The module without unused imports from `aws_xray_sdk.core`."""
    names = read_names(module)
    ours = {names.recorder, *names.patches} - {""}
    used = {
        name for name in ours if len(matchers.findall(module, matchers.Name(name))) > _in_imports(names, name)
    } | set(shared)
    gone: list[bool] = []
    body: list[cst.BaseStatement] = []
    for line in module.body:
        only = line.body[0] if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else None
        if not isinstance(only, cst.ImportFrom) or only not in names.imports:
            gone.append(False)
            body.append(line)
            continue
        kept = [one for one in _aliases(only) if _local_name(one) not in ours - used]
        gone.append(not kept)
        if kept and len(kept) < len(_aliases(only)):
            if only.lpar is None:
                kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
            line = line.with_changes(body=[only.with_changes(names=kept)])  # noqa: PLW2901
        body.append(line)
    edited: cst.Module = without_lines(module.with_changes(body=body), gone)
    return edited


def _with_imports(module: cst.Module, local: Local, before: cst.Module) -> cst.Module:
    """The module with the imports of the new code after its own imports, and the tracer after them."""
    known = _at_top(before)
    wanted = []
    if local.uses_json:
        wanted.append("import json" if local.json == "json" else f"import json as {local.json}")
    if local.uses_trace or local.uses_tracer:
        alias = "" if local.trace == "trace" else f" as {local.trace}"
        wanted.append(f"from {OTEL} import trace{alias}")
    if local.uses_tracer:
        wanted.append(f"{local.tracer} = {local.trace}.get_tracer(__name__)")
    wanted = [one for one in wanted if one not in known]
    if not wanted:
        return module
    body = list(module.body)
    at = _after_imports(body)
    lines: list[cst.SimpleStatementLine] = []
    for one in wanted:
        parsed = cst.parse_statement(one)
        assert isinstance(parsed, cst.SimpleStatementLine)
        apart = [cst.EmptyLine(indent=False)] if "get_tracer" in one else []
        lines.append(parsed.with_changes(leading_lines=apart))
    return module.with_changes(body=[*body[:at], *lines, *body[at:]])


def _after_imports(body: Sequence[cst.CSTNode]) -> int:
    """The index after the last import above all functions and classes, else after the docstring and `__future__`."""
    at = 0
    for number, line in enumerate(body):
        if isinstance(line, cst.FunctionDef | cst.ClassDef | cst.With):
            break
        if isinstance(line, cst.SimpleStatementLine) and isinstance(line.body[0], cst.Import | cst.ImportFrom):
            at = number + 1
        elif number == 0 and isinstance(line, cst.SimpleStatementLine) and isinstance(line.body[0], cst.Expr):
            at = 1
    return at


def _at_top(module: cst.Module) -> set[str]:
    """The top-level simple statements of a module, as text."""
    return {
        module.code_for_node(one)
        for line in module.body
        if isinstance(line, cst.SimpleStatementLine)
        for one in line.body
    }


def _aliases(node: cst.ImportFrom) -> list[cst.ImportAlias]:
    return [] if isinstance(node.names, cst.ImportStar) else list(node.names)


def _local_name(alias: cst.ImportAlias) -> str:
    return alias.evaluated_alias or alias.evaluated_name


def _in_imports(names: Names, name: str) -> int:
    return sum(len(matchers.findall(one, matchers.Name(name))) for one in names.imports)
