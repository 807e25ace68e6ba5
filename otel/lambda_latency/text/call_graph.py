"""What calls others than in the baseline, as sentences and JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lambda_latency.text.style import Piece, Style, plain
from lambda_latency.text.words import clean, listed, number, plural

if TYPE_CHECKING:
    from lambda_latency.latency import Against, CallChange, CallGraphChanges, OperationChange

MOST_ALSO, MOST_CALLEES = 3, 3
PLAIN = Style()


def call_graph_sentence(diff: Against, counts: str, style: Style) -> list[Piece]:
    """`Other calls than the baseline (...): PlaceOrder of checkout no longer calls ShipOrder (96 % then, 0 % now).`"""
    shapes = diff.call_graphs
    pieces = [Piece(f"Other calls than the baseline ({counts}): ")]
    if not shapes.operations:
        first_call, *other_calls = shapes.calls
        pieces += [Piece(calls_sentence(first_call, style), "bold"), Piece(f".{_called_less(diff, style)}")]
        return [*pieces, Piece(" The cause is internal."), *_also_changed([], other_calls, style)]
    first_operation, *other_operations = shapes.operations
    pieces += _operation(first_operation, style)
    early = " An early return or an exception would do this." if first_operation.gone else ""
    pieces.append(Piece(f".{_called_less(diff, style) or early}"))
    return [*pieces, Piece(" The cause is internal."), *_also_changed(other_operations, shapes.calls, style)]


def _called_less(diff: Against, style: Style) -> str:
    """Say why the first cause is a callee, if it is one; else nothing."""
    if diff.causes[0].service not in diff.call_graphs.callees_of_answers:
        return ""
    return f" {clean(diff.causes[0].service, style)} is called less often: what it answers may have changed."


def calls_sentence(call: CallChange, style: Style) -> str:
    """`a request of GET /cart makes 60 calls instead of 1: cart -> postgresql orders`."""
    (caller, component), route = call.edge, clean(call.route, style)
    old, new = call.medians
    if call.kind in ("more", "fewer"):
        calls = f"{plural(new, 'call')} instead of {number(old)}"
        return f"a request of {route} makes {calls}: {clean(call.edge.label, style)}"
    callee = clean((component.name or component.label) + (f" from {caller}" if caller else ""), style)
    if call.kind == "gone":
        return f"a request of {route} no longer calls {callee} ({_mean(call.mean[0])} then)"
    return f"a request of {route} now calls {callee} ({_mean(call.mean[1])} a request)"


def call_graph_values(shapes: CallGraphChanges) -> dict[str, object]:
    """Return the changes as JSON values; shares are those of the requests with the operation."""
    return {
        "operations": [
            {
                "service": operation.service,
                "operation": operation.operation,
                "deviations": round(operation.deviations, 3),
                "requests": {"then": operation.requests[0], "now": operation.requests[1]},
                "gone": [_callee(*callee) for callee in operation.gone],
                "new": [_callee(*callee) for callee in operation.new],
            }
            for operation in shapes.operations
        ],
        "calls": [
            {
                "kind": call.kind,
                "route": call.route,
                "caller": call.edge.caller,
                "bucket": call.edge.component.category,
                "name": call.edge.component.name,
                "then": {"mean": round(call.mean[0], 3), "median": call.medians[0]},
                "now": {"mean": round(call.mean[1], 3), "median": call.medians[1]},
                "sentence": calls_sentence(call, PLAIN),
            }
            for call in shapes.calls
        ],
    }


def _callee(name: str, baseline_share: float, current_share: float) -> dict[str, object]:
    return {"callee": name, "then": round(baseline_share, 6), "now": round(current_share, 6)}


def _operation(change: OperationChange, style: Style) -> list[Piece]:
    of = f" of {clean(change.service, style)}" if change.service else ""
    name = f"{clean(change.operation, style)}{of}"
    if change.gone:
        also = [Piece(f", but {_callees(change.new, style)}")] if change.new else []
        return [Piece(f"{name} no longer calls {_callees(change.gone, style)}", "bold"), *also]
    if change.new:
        return [Piece(f"{name} now calls {_callees(change.new, style)}", "bold")]
    _, old, new = change.largest
    if share(old, style) != share(new, style):
        how = "less" if new < old else "more"
        return [Piece(f"{name} {how} often calls {_callees([change.largest], style)}", "bold")]
    return [Piece(f"{name} calls other sets of callees", "bold"), Piece(f" (in {number(change.requests[1])} requests)")]


def _callees(callees: Sequence[tuple[str, float, float]], style: Style) -> str:
    """`ShipOrder (96 % of its requests then, 0 % now), EmptyCart (...), and 2 more`."""
    texts = [f"{clean(name, style)} ({share(old, style)} then, {share(new, style)} now)" for name, old, new in callees]
    return listed(texts, MOST_CALLEES)


def _also_changed(operations: Sequence[OperationChange], calls: Sequence[CallChange], style: Style) -> list[Piece]:
    changes = [plain(_operation(operation, style)) for operation in operations]
    changes += [calls_sentence(call, style) for call in calls]
    return [Piece(f" Also: {listed(changes, MOST_ALSO, '; ')}.")] if changes else []


def share(of_requests: float, style: Style) -> str:
    return f"{100 * of_requests:.0f}{style.space}%"


def _mean(calls: float) -> str:
    return f"{calls:.1f}".removesuffix(".0")
