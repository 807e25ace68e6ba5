"""What slow requests depend on, as sentences: short whatever the names; and the queries of AWS's consoles."""

import random
from typing import Literal

import pytest

from lambda_latency.latency import ABSENT, Association, ChangeAssociation, Component, Edge, Since, Value
from lambda_latency.text.correlation import (
    change_correlation,
    correlation_sentence,
    since_sentence,
    spans_query,
    xray_filter,
)
from lambda_latency.text.prose import flat
from lambda_latency.text.style import Style
from lambda_latency.text.words import wrap_pieces

STYLE = Style()
LETTERS = ("a", "tenant.id ", "{id}/", "テナント", "\U00010000", "é\u0301", '"', "\x1b[31m", "x y ")
CASES = 500


def _name(draw: random.Random) -> str:
    return draw.choice(LETTERS) * draw.choice((1, 7, 30, 140))


def _value(draw: random.Random) -> Value:
    if draw.random() < 0.7:
        return Value("shop", _name(draw), draw.choice((ABSENT, _name(draw))))
    low = draw.choice((draw.randrange(10**9), round(draw.uniform(-1e6, 1e6), 3)))
    return Value("shop", _name(draw), None, low, draw.choice((None, low + draw.randrange(1, 10**9))))


def _finding(draw: random.Random) -> Association:
    slow, typical = draw.randrange(1, 10_000), draw.randrange(1, 10_000)
    return Association(
        tuple(_value(draw) for _ in range(draw.choice((1, 2)))),
        (draw.randrange(slow + 1), slow),
        (draw.randrange(typical + 1), typical),
        30.0,
        tuple(_value(draw) for _ in range(draw.randrange(4))),
    )


def test_a_sentence_has_two_lines_at_most() -> None:
    """At 100 columns, whatever the names, values, counts and routes; of ASCII alone, too."""
    draw = random.Random(1)  # noqa: S311 - cases that can be repeated
    for _ in range(CASES):
        style = Style(unicode=draw.random() < 0.8)
        finding = _finding(draw)
        routes = [_name(draw) for _ in range(draw.randrange(6))]
        changed = ChangeAssociation(finding, callee=draw.choice(("", _name(draw))), lacks=draw.random() < 0.5)
        for pieces in (correlation_sentence(finding, style, routes), change_correlation(changed, style)):
            assert len(wrap_pieces(pieces, 100)) <= 2, flat(pieces)
            assert flat(pieces).startswith("It depends: ")


def test_so_has_the_time_since_when() -> None:
    """With three values that begin there."""
    draw = random.Random(2)  # noqa: S311 - cases that can be repeated
    for _ in range(CASES):
        routes = tuple(_name(draw) for _ in range(draw.randrange(1, 6)))
        cell = draw.choice((None, Edge(_name(draw), Component("database", _name(draw)))))
        kind: Literal["step", "drift"] = draw.choice(("step", "drift"))
        values = tuple(Value("shop", _name(draw), _name(draw)) for _ in range(draw.randrange(4)))
        pieces = since_sentence(Since(routes, kind, 10**18, None, 10**11, 10**12, cell, 0, values), STYLE)
        assert len(wrap_pieces(pieces, 100)) <= 2, flat(pieces)


def test_short_names_are_told_whole_and_long_ones_shortened() -> None:
    """Values of the same requests are left out first; quotes of names for assistants stay."""
    tenant, name = Value("shop", "tenant.id", "acme"), Value("shop", "tenant.name", "Acme Inc.")
    text = flat(correlation_sentence(Association((tenant,), (31, 31), (3, 100), 30.0, (name,)), STYLE))
    assert text == (
        "It depends: all 31 have tenant.id = acme; 3 % of the other requests do (the same requests: tenant.name = Acme "
        "Inc.)."
    )
    long = Value("shop", "x" * 60, '"' + "y" * 60 + '"')
    text = flat(correlation_sentence(Association((long, long), (31, 40), (0, 100), 30.0, (name,)), STYLE, ["GET /a"]))
    assert text.startswith("It depends: 31 of 40 slow requests of GET /a have xxx")
    assert text.count('…"') == 2
    assert text.endswith("; none of the other requests do.")


@pytest.mark.parametrize(
    ("value", "xray", "spans"),
    [
        (
            Value("", "tenant.id", "acme"),
            'annotation[tenant_id] = "acme"',
            '({A}tenant.id` = "acme" or {R}tenant.id` = "acme")',
        ),
        (Value("shop", "n", "1"), 'annotation[n] = "1"', '({A}n` = "1" or {R}n` = "1") and {R}service.name` = "shop"'),
        (Value("", "n", 'a"b\\'), 'annotation[n] = "a\\"b\\\\"', '({A}n` = "a\\"b\\\\" or {R}n` = "a\\"b\\\\")'),
        (Value("", "flag", "true"), "annotation[flag] = true", "({A}flag` = true or {R}flag` = true)"),
        (
            Value("", "n", None, 400.0, 490.5),
            "annotation[n] >= 400 AND annotation[n] < 490.5",
            "({A}n` >= 400 or {R}n` >= 400) and ({A}n` < 490.5 or {R}n` < 490.5)",
        ),
        (Value("", "n", None, None, 5.0), "annotation[n] < 5", "({A}n` < 5 or {R}n` < 5)"),
        (Value("", "promo", ABSENT), None, "not ispresent({A}promo`) and not ispresent({R}promo`)"),
        (Value("", "{id}", "42"), None, 'name like "42"'),
    ],
)
def test_the_consoles_find_the_requests_of_a_value(value: Value, xray: str | None, spans: str) -> None:
    """By a filter expression of annotations, and by a query of spans; X-Ray has none for what is absent."""
    tests = spans.replace("{A}", "`attributes.").replace("{R}", "`resource.attributes.")
    assert xray_filter([value]) == xray
    assert spans_query([value]) == (
        f"fields @timestamp, traceId, durationNano / 1000000 as ms | filter {tests} | sort durationNano desc | limit 50"
    )


def test_two_values_are_one_expression() -> None:
    """None if one of them has none."""
    tenant, promo = Value("", "tenant.id", "acme"), Value("", "promo", ABSENT)
    assert (
        xray_filter([tenant, Value("", "size", None, 4.0)])
        == 'annotation[tenant_id] = "acme" AND annotation[size] >= 4'
    )
    assert xray_filter([tenant, promo]) is None
