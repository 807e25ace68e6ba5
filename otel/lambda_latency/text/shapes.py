"""Changed shapes as sentences: which operation calls what no longer, or anew, and how many calls a request makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.text.style import Piece, Style
from lambda_latency.text.words import clean, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.latency import CallChange, ShapeChange, Shapes

PLAIN = Style()
MOST_CALLEES = 3
MOST_ALSO = 3


def shape_pieces(one: Shapes, counts: str, style: Style) -> list[Piece]:
    """`Other calls than the baseline (...): PlaceOrder of checkout no longer calls ShipOrder (96 % then, 0 % now).`"""
    pieces = [Piece(f"Other calls than the baseline ({counts}): ")]
    if not one.operations:
        first, *others = one.calls
        pieces += [Piece(calls_sentence(first, style), "bold"), Piece(".")]
        return [*pieces, Piece(" The cause is internal."), *_also([], others, style)]
    first_operation, *other_operations = one.operations
    pieces += _operation(first_operation, style)
    pieces.append(Piece(". An early return or an exception would do this." if first_operation.gone else "."))
    return [*pieces, Piece(" The cause is internal."), *_also(other_operations, one.calls, style)]


def calls_sentence(one: CallChange, style: Style) -> str:
    """`a request of GET /cart makes 60 calls instead of 1: cart -> postgresql orders`."""
    label, route = clean(one.cell.label, style), clean(one.route, style)
    then, now = one.usual
    if one.kind == "gone":
        return f"a request of {route} no longer calls {label} ({_mean(one.mean[0])} then)"
    if one.kind == "new":
        return f"a request of {route} now calls {label} ({_mean(one.mean[1])} a request)"
    return f"a request of {route} makes {number(now)} calls instead of {number(then)}: {label}"


def shape_values(one: Shapes) -> dict[str, object]:
    """The changes as JSON values; shares are those of the requests with the operation."""
    return {
        "operations": [
            {
                "service": each.service,
                "operation": each.operation,
                "deviations": round(each.deviations, 3),
                "requests": {"then": each.requests[0], "now": each.requests[1]},
                "gone": [_callee(callee) for callee in each.gone],
                "new": [_callee(callee) for callee in each.new],
            }
            for each in one.operations
        ],
        "calls": [
            {
                "kind": each.kind,
                "route": each.route,
                "caller": each.cell.caller,
                "bucket": each.cell.part.bucket,
                "name": each.cell.part.name,
                "then": {"mean": round(each.mean[0], 3), "median": each.usual[0]},
                "now": {"mean": round(each.mean[1], 3), "median": each.usual[1]},
                "sentence": calls_sentence(each, PLAIN),
            }
            for each in one.calls
        ],
    }


def _callee(one: tuple[str, float, float]) -> dict[str, object]:
    return {"callee": one[0], "then": round(one[1], 6), "now": round(one[2], 6)}


def _operation(one: ShapeChange, style: Style) -> list[Piece]:
    of = f" of {clean(one.service, style)}" if one.service else ""
    name = f"{clean(one.operation, style)}{of}"
    if one.gone:
        return [Piece(f"{name} no longer calls {_callees(one.gone, style)}", "bold"), *_anew(one, style)]
    if one.new:
        return [Piece(f"{name} now calls {_callees(one.new, style)}", "bold")]
    _, then, now = one.most
    if _percent(then, style) != _percent(now, style):
        how = "less" if now < then else "more"
        return [Piece(f"{name} {how} often calls {_callees([one.most], style)}", "bold")]
    return [Piece(f"{name} calls other sets of callees", "bold"), Piece(f" (in {number(one.requests[1])} requests)")]


def _anew(one: ShapeChange, style: Style) -> list[Piece]:
    return [Piece(f", but {_callees(one.new, style)}")] if one.new else []


def _callees(callees: Sequence[tuple[str, float, float]], style: Style) -> str:
    """`ShipOrder (96 % of its requests then, 0 % now), EmptyCart (...), and 2 more`."""
    told = [
        f"{clean(name, style)} ({_percent(then, style)} then, {_percent(now, style)} now)"
        for name, then, now in callees[:MOST_CALLEES]
    ]
    more = len(callees) - len(told)
    return ", ".join([*told, *([f"and {number(more)} more"] if more else [])])


def _also(operations: Sequence[ShapeChange], calls: Sequence[CallChange], style: Style) -> list[Piece]:
    told = ["".join(piece.text for piece in _operation(one, style)) for one in operations]
    told += [calls_sentence(one, style) for one in calls]
    more = len(told) - MOST_ALSO
    end = f"; and {number(more)} more" if more > 0 else ""
    return [Piece(f" Also: {'; '.join(told[:MOST_ALSO])}{end}.")] if told else []


def _percent(share: float, style: Style) -> str:
    return f"{100 * share:.0f}{style.space}%"


def _mean(calls: float) -> str:
    return f"{calls:.1f}".removesuffix(".0")
