"""Spans recognized by their bytes: ids make no new shapes, and hide nothing that rules read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lambda_latency.latency.lean import new_reader
from lambda_latency.trace import SpanKind, dump_line
from tests.latency.system import order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_latency.trace.lean import LeanReader


def test_ids_that_are_none_are_left_to_the_tolerant_reader() -> None:
    """It names them; nothing of the line is kept."""
    good = dump_line(order(200).spans)
    reader = new_reader()
    first = order(200).outermost
    for bad in (first.span_id.replace("1", "X"), first.span_id.upper().replace("1", "A"), "0" * 16, "1"):
        assert reader.read([good.replace(first.span_id, bad).encode()]) == [None]
    assert reader.read([good.replace(first.trace_id, "0" * 32).encode()]) == [None]
    assert reader.read([b'{"resourceSpans": 7}']) == [None]
    assert reader.read([b"[" * 100_000]) == [None]
    assert list(reader.take()) == []


def test_ids_in_addresses_and_names_without_rules_make_no_new_shapes() -> None:
    """A hundred thousand calls are one shape."""
    reader = new_reader()
    for number in range(300):
        attributes = {"http.url": f"https://pay.example/{number}", "app.id": number, "error.type": f"E{number}"}
        span = replace(order(200).outermost, attributes=attributes, kind=SpanKind.CLIENT)
        assert None not in reader.read([dump_line([span]).encode()])
    assert len(reader.shapes) == 1


def test_ids_that_change_from_span_to_span_hide_nothing_beside_them() -> None:
    """What stands around an id is remembered: a span that has one attribute more there is another shape."""
    reader = new_reader()
    call = next(span for span in order(200).spans if span.name == "DynamoDB.PutItem")
    for number in range(400):
        odd = number % 97 == 96
        more: dict[str, object] = {"aws.request_id": f"{number:052X}"}
        if odd:
            more["http.response.status_code"] = 429
        if number == 300:
            more["aws.request_id"] = '","value":{"stringValue":"x"}},{"key":"http.response.status_code'
        attributes = {**call.attributes, **more, "note": "x" * 300}
        assert None not in reader.read([dump_line([replace(call, attributes=attributes)]).encode()])
    codes = [attributes.get("http.response.status_code") for attributes in _kept(reader)]
    assert codes == [429 if number % 97 == 96 else None for number in range(400)]


def test_an_attribute_in_the_place_of_an_id_is_seen() -> None:
    """Attributes as long as others of their kind, and alike at both ends, with a shorter id and one attribute more."""
    reader = new_reader()
    call = next(span for span in order(200).spans if span.name == "DynamoDB.PutItem")
    more = len('"}},{"key":"http.response.status_code","value":{"intValue":"429')
    lengths = set()
    for number in range(300):
        odd = number % 97 == 96
        attributes: dict[str, object] = {**call.attributes, "aws.request_id": f"{number:0{80 - more if odd else 80}X}"}
        if odd:
            attributes["http.response.status_code"] = 429
        line = dump_line([replace(call, attributes={**attributes, "note": "x" * 300})])
        lengths.add(len(line))
        assert None not in reader.read([line.encode()])
    codes = [attributes.get("http.response.status_code") for attributes in _kept(reader)]
    assert codes == [429 if number % 97 == 96 else None for number in range(300)]
    assert len(lengths) == 1


def test_two_ids_in_one_span_hide_nothing_between_and_beside_them() -> None:
    """An address and a size differ each time: what stands before, between and after them is looked at."""
    reader = new_reader()
    call = next(span for span in order(200).spans if span.name == "DynamoDB.PutItem")
    expected = []
    for number in range(600):
        host = "b.example" if number % 7 == 6 else "a.example"
        status = 429 if number % 11 == 10 else 200
        attributes: dict[str, object] = {"note": "x" * 300, "http.url": f"https://{host}/v1/{number:x}"}
        if number % 13 == 12:
            attributes["http.url"] = f'https://{host}/"\\{number}'
        attributes |= {"http.status_code": status, "app.size": number, "app.end": "y"}
        expected.append((host, status))
        assert None not in reader.read([dump_line([replace(call, attributes=attributes)]).encode()])
    assert [(str(one["http.url"]).split("/")[2], one["http.status_code"]) for one in _kept(reader)] == expected
    assert len(reader.shapes) == 4


def test_three_ids_in_one_span_hide_nothing_either() -> None:
    """One attribute more between two of them, and ids so much shorter that the whole is as long as the others."""
    reader = new_reader()
    call = next(span for span in order(200).spans if span.name == "DynamoDB.PutItem")
    more = len('"}},{"key":"http.response.status_code","value":{"intValue":"429')
    lengths = set()
    for number in range(400):
        odd = number % 97 == 96
        attributes: dict[str, object] = {"app.a": f"{number:020}", "aws.request_id": f"{number:080}"}
        if odd:
            attributes |= {"aws.request_id": f"{number:0{80 - more}}", "http.response.status_code": 429}
        if number == 250:
            attributes["app.a"] = "\\" * 10  # each of them two bytes
        line = dump_line(
            [replace(call, attributes={**call.attributes, **attributes, "app.b": number, "app.z": "x" * 300})]
        )
        lengths.add((len(line), len(str(number))))
        assert None not in reader.read([line.encode()])
    codes = [attributes.get("http.response.status_code") for attributes in _kept(reader)]
    assert codes == [429 if number % 97 == 96 else None for number in range(400)]
    assert len(lengths) == 3
    assert len(reader.shapes) == 2


def test_attributes_of_one_length_that_take_turns_are_told_apart() -> None:
    """More of them than are looked at one by one."""
    reader = new_reader()
    call = next(span for span in order(200).spans if span.name == "DynamoDB.PutItem")
    statuses = [200 + number * 7 % 40 for number in range(300)]
    for status in statuses:
        attributes = {**call.attributes, "http.status_code": status, "app.note": "x" * 300}
        assert None not in reader.read([dump_line([replace(call, attributes=attributes)]).encode()])
    assert [attributes["http.status_code"] for attributes in _kept(reader)] == statuses
    assert len(reader.shapes) == len(set(statuses)) == 40


def _kept(reader: LeanReader) -> list[Mapping[str, object]]:
    """The attributes of the spans of the one trace that was read."""
    [(trace_id, members)] = reader.take()
    return [span.attributes for span in reader.full(trace_id, members)]
