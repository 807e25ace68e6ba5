"""Edits a module: replaces spans and calls by OpenTelemetry's API, removes lines but keeps their comments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from lambda_latency.adopt.rewrite.deciding import Decided
from lambda_latency.adopt.rewrite.scopes import Call, Span, literal

__all__ = ["Editing", "Local", "without_lines"]

ANNOTATIONS, METADATA = "aws.xray.annotations", "aws.xray.metadata."
NOT_IN_A_NAME = "?;*()!$~^<>"


@dataclass(slots=True)
class Local:
    """The module's local names of OpenTelemetry's `trace`, the tracer and `json`, and whether they are used."""

    trace: str = "trace"
    tracer: str = "tracer"
    json: str = "json"
    uses_trace: bool = False
    uses_tracer: bool = False
    uses_json: bool = False


class Editing(cst.CSTTransformer):
    """Applies the decisions."""

    def __init__(self, decided: Decided, local: Local) -> None:
        super().__init__()
        self._decided = decided
        self._local = local

    def leave_Decorator(self, original_node: cst.Decorator, updated_node: cst.Decorator) -> cst.Decorator:
        span = self._decided.spans.get(original_node)
        return updated_node if span is None else updated_node.with_changes(decorator=self._start(span))

    def leave_WithItem(self, original_node: cst.WithItem, updated_node: cst.WithItem) -> cst.WithItem:
        span = self._decided.spans.get(original_node)
        return updated_node if span is None else updated_node.with_changes(item=self._start(span))

    def leave_With(self, original_node: cst.With, updated_node: cst.With) -> cst.With:
        return updated_node.with_changes(asynchronous=None) if original_node in self._decided.plain else updated_node

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        calls = self._decided.calls.get(original_node)
        return updated_node if calls is None else self._put(calls, updated_node)

    def leave_IndentedBlock(self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock) -> Any:
        gone = [one in self._decided.removed for one in original_node.body]
        return without_lines(updated_node, gone)

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> Any:
        return without_lines(updated_node, [one in self._decided.removed for one in original_node.body])

    def _start(self, span: Span) -> cst.BaseExpression:
        """The call that starts a span and makes it the current one."""
        self._local.uses_tracer = True
        assert span.name is not None
        text = literal(span.name)
        name = _code(span.name)
        if text is not None and set(text) & set(NOT_IN_A_NAME):
            name = '"' + "".join(one for one in text if one not in NOT_IN_A_NAME) + '"'
        parts = [name]
        if span.is_remote:
            self._local.uses_trace = True
            parts.append(f"kind={self._local.trace}.SpanKind.CLIENT")
        if span.keys:
            parts.append(f'attributes={{"{ANNOTATIONS}": [{", ".join(span.keys)}]}}')
        return cst.parse_expression(f"{self._local.tracer}.start_as_current_span({', '.join(parts)})")

    def _put(self, calls: Sequence[Call], updated: cst.Call) -> cst.BaseExpression:
        first = calls[0]
        if first.by_variable:
            assert isinstance(updated.func, cst.Attribute)
            owner = _code(updated.func.value)
        else:
            self._local.uses_trace = True
            owner = f"{self._local.trace}.get_current_span()"
        if first.namespace is None:
            return cst.parse_expression(f"{owner}.set_attribute({first.key}, {_code_of(first)})")
        self._local.uses_json = True
        values = ", ".join(f"{one.key}: {_code_of(one)}" for one in calls)
        return cst.parse_expression(
            f'{owner}.set_attribute("{METADATA}{first.namespace}", {self._local.json}.dumps({{{values}}}, default=str))'
        )


def without_lines(block: Any, gone: Sequence[bool]) -> Any:
    """A block or a module without the lines marked in `gone`; their comments stay."""
    if not any(gone):
        return block
    body: list[Any] = []
    kept: list[cst.EmptyLine] = []
    for one, goes in zip(block.body, gone, strict=True):
        if goes:
            if any(line.comment is not None for line in one.leading_lines):
                kept += one.leading_lines
            comment = one.trailing_whitespace.comment
            if comment is not None:
                kept.append(cst.EmptyLine(comment=comment))
        elif kept:
            body.append(one.with_changes(leading_lines=[*kept, *one.leading_lines]))
            kept = []
        else:
            body.append(one)
    changes: dict[str, Any] = {"body": body}
    if kept:
        changes["footer"] = [*kept, *block.footer]
    return block.with_changes(**changes)


def _code(node: cst.CSTNode) -> str:
    return cst.Module([]).code_for_node(node)


def _code_of(call: Call) -> str:
    assert call.value is not None
    return _code(call.value)
