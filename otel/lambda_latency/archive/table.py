"""Converts accounts to an Arrow table and back, without loss, by column: no Python object per request is made.

One row per request. The `ns` of `parts` add up to `wall_ns`. `calls` count all calls, waited for or not; their `ns` is
-1 for an entry that counts for a part without being a call.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lambda_latency.latency import Accounts, Calls, Cell, Kind, Operation, Part

TEXT = pa.dictionary(pa.int32(), pa.string())
PART = [("bucket", TEXT), ("name", TEXT), ("owner", TEXT)]
COUNTS = ("calls", "errors", "throttles", "retries")
SCHEMA = pa.schema(
    [
        ("trace_id", pa.string()),
        ("route", TEXT),
        ("function", TEXT),
        ("status_code", pa.int32()),
        ("start_time_unix_nano", pa.int64()),
        ("wall_ns", pa.int64()),
        ("cold_start", pa.bool_()),
        ("error", pa.bool_()),
        ("timed_out", pa.bool_()),
        ("flaws", pa.int32()),
        ("parts", pa.list_(pa.struct([*PART, ("ns", pa.int64())]))),
        ("calls", pa.list_(pa.struct([*PART, *((name, pa.int32()) for name in COUNTS), ("ns", pa.int64())]))),
        (
            "callers",
            pa.list_(TEXT),
        ),  # of each entry of `parts`: the service that waits; missing in files of older releases
        ("call_callers", pa.list_(TEXT)),  # of each entry of `calls`
        ("spans", TEXT),  # the file with its spans
        ("written_ns", pa.int64()),  # the newest row of a trace counts
        ("outline", TEXT),  # JSON: operations with what they call; missing in files of older releases
    ]
)


def table_of(accounts: Accounts, spans: Sequence[str], written_ns: int) -> Any:
    """The table of accounts (schema `SCHEMA`); `spans`: the path of each request's spans file."""
    kinds, count = list(accounts.kinds), len(accounts)
    of_kind = pa.array(accounts.kind_of, pa.int32())
    cells, calls = list(accounts.cells), list(accounts.calls)
    cell_of, call_of = pa.array(accounts.cell_of, pa.int32()), pa.array(accounts.call_of, pa.int32())
    ids = accounts.trace_ids.hex()
    columns = [
        pa.array([ids[at : at + 32] for at in range(0, len(ids), 32)], pa.string()),
        _texts([one.route for one in kinds], of_kind),
        _texts([one.function for one in kinds], of_kind),
        pa.array([one.status_code for one in kinds], pa.int32()).take(of_kind),
        pa.array(accounts.starts_ns, pa.int64()),
        pa.array(accounts.walls_ns, pa.int64()),
        *(pa.array([getattr(one, name) for one in kinds], pa.bool_()).take(of_kind)
          for name in ("cold_start", "error", "timed_out")),
        pa.array([one.flaws for one in kinds], pa.int32()).take(of_kind),
        _lists(accounts.cells_end, [*_parts([cell.part for cell in cells], cell_of),
                                    pa.array(accounts.cell_ns, pa.int64())], SCHEMA.field("parts").type),
        _lists(accounts.calls_end, [
            *_parts([cell.part for cell, _ in calls], call_of),
            *(pa.array([getattr(one, name) for _, one in calls], pa.int32()).take(call_of) for name in COUNTS),
            pa.array(accounts.took_ns, pa.int64()),
        ], SCHEMA.field("calls").type),
        _callers(accounts.cells_end, [cell.caller for cell in cells], cell_of),
        _callers(accounts.calls_end, [cell.caller for cell, _ in calls], call_of),
        pa.array(spans, pa.string()).dictionary_encode(),
        pa.array([written_ns] * count, pa.int64()),
        _texts([json.dumps(one) for one in accounts.outlines], pa.array(accounts.outline_of, pa.int32())),
    ]  # fmt: skip
    return pa.table(columns, schema=SCHEMA)


def accounts_of(table: Any) -> Accounts:
    """The accounts of a table with `SCHEMA`, in its order."""
    found = Accounts()
    table = table.combine_chunks()
    if not table.num_rows:
        return found
    found.trace_ids += _ids(table["trace_id"])
    found.starts_ns, found.walls_ns = (_whole(table[name], "q") for name in ("start_time_unix_nano", "wall_ns"))
    names = ("route", "function", "status_code", "cold_start", "error", "timed_out", "flaws")
    found.kind_of = _numbers([table[name] for name in names], lambda row: found.kinds[Kind(*row)])
    outlines = table["outline"].cast(pa.string()).combine_chunks().fill_null("[]")
    found.outline_of = _numbers([outlines], lambda row: found.outlines[_outline(row[0])])
    for name, ends in (("parts", "cells_end"), ("calls", "calls_end")):
        column = _one(table[name])
        setattr(found, ends, _offsets(column))
        flat = column.flatten()
        callers = _one(table["callers" if name == "parts" else "call_callers"]).flatten()
        cell = [*(flat.field(at) for at in range(3)), callers]
        if name == "parts":
            found.cell_of = _numbers(cell, lambda row: found.cells[_cell(*row)])
            found.cell_ns = _whole(flat.field("ns"), "q")
        else:
            counts = [flat.field(one) for one in COUNTS]
            found.call_of = _numbers([*cell, *counts], lambda row: found.calls[(_cell(*row[:4]), Calls(*row[4:]))])
            found.took_ns = _whole(flat.field("ns"), "q")
    return found


def newest(table: Any) -> Any:
    """The newest row of each trace."""
    ids = table["trace_id"]
    if pc.count_distinct(ids).as_py() == table.num_rows:
        return table
    order = pc.sort_indices(table, sort_keys=[("written_ns", "descending")])
    ordered = table.select(["trace_id"]).take(order).append_column("at", order)
    firsts = ordered.group_by("trace_id", use_threads=False).aggregate([("at", "first")])["at_first"]
    return table.take(pc.take(firsts, pc.array_sort_indices(firsts)))


def plain(table: Any) -> Any:
    """The table without dictionaries, which Spark does not take."""
    return table.cast(pa.schema([(field.name, _plain_type(field.type)) for field in table.schema]))


def _plain_type(kind: Any) -> Any:
    if pa.types.is_dictionary(kind):
        return kind.value_type
    if pa.types.is_list(kind):
        return pa.list_(_plain_type(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _plain_type(field.type)) for field in kind])
    return kind


def _texts(values: Sequence[str], numbers: Any) -> Any:
    """A dictionary-encoded column of texts by index; `values` may repeat."""
    return pa.array(values, pa.string()).take(numbers).dictionary_encode()


def _parts(parts: Sequence[Part], numbers: Any) -> list[Any]:
    return [_texts([getattr(one, name) for one in parts], numbers) for name in ("bucket", "name", "whose")]


def _callers(ends: array[int], callers: Sequence[str], numbers: Any) -> Any:
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), _texts(callers, numbers))


def with_callers(table: Any) -> Any:
    """The table with the callers of parts and calls; a file of a release without them tells only whose own code ran."""
    for name, of in (("callers", "parts"), ("call_callers", "calls")):
        if table[name].null_count:
            column = _one(table[of])
            flat = column.flatten()
            own = pc.is_in(flat.field("bucket").cast(pa.string()), pa.array(["own code", "cold start"]))
            callers = pc.if_else(own, flat.field("name").cast(pa.string()), "").dictionary_encode()
            lists = pa.ListArray.from_arrays(_offsets_of(column), callers)
            table = table.set_column(table.schema.get_field_index(name), SCHEMA.field(name), lists)
    return table


def _one(column: Any) -> Any:
    """A column in one piece."""
    column = column.combine_chunks()
    return column.chunk(0) if isinstance(column, pa.ChunkedArray) else column


def _cell(bucket: str, name: str, owner: str, caller: str) -> Cell:
    return Cell(caller, Part(bucket, name, owner))


def _outline(text: str) -> tuple[Operation, ...]:
    return tuple(Operation(service, name, tuple(callees)) for service, name, callees in json.loads(text))


def _lists(ends: array[int], columns: Sequence[Any], kind: Any) -> Any:
    structs = pa.StructArray.from_arrays(list(columns), fields=list(kind.value_type))
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), structs).cast(kind)


def _offsets(column: Any) -> array[int]:
    return _whole(_offsets_of(column).cast(pa.uint32()), "I")


def _offsets_of(column: Any) -> Any:
    return pc.subtract(column.offsets, column.offsets[0])


def _ids(column: Any) -> bytes:
    """The ids as bytes, 16 per id, read from Arrow's buffer."""
    column = _one(column)
    ends = column.buffers()[1]
    first, last = (int.from_bytes(ends[at * 4 : at * 4 + 4].to_pybytes(), "little")
                   for at in (column.offset, column.offset + len(column)))  # fmt: skip
    return bytes.fromhex(column.buffers()[2][first:last].to_pybytes().decode("ascii"))


def _whole(column: Any, code: str) -> array[int]:
    """A column of numbers without nulls, copied by buffer: no Python object per value is made."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    found = array(code)
    first = column.offset * found.itemsize
    found.frombytes(column.buffers()[1][first : first + len(column) * found.itemsize])
    return found


def _numbers(columns: Sequence[Any], number: Any) -> array[int]:
    """An index per row for the combination of several columns; `number` is called once per distinct combination."""
    key: Any = None
    encoded = []
    for column in columns:
        plain = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        one = plain if isinstance(plain, pa.DictionaryArray) else plain.dictionary_encode("encode")
        encoded.append(one)
        codes = one.indices.cast(pa.int64())
        key = codes if key is None else pc.add(pc.multiply(key, len(one.dictionary)), codes)
    if key is None or not len(key):
        return array("I")
    distinct = key.dictionary_encode()
    values = []
    for combined in distinct.dictionary.to_pylist():
        row, code = [], combined
        for one in reversed(encoded):
            code, at = divmod(code, len(one.dictionary))
            row.append(one.dictionary[at].as_py())
        values.append(number(tuple(reversed(row))))
    return _whole(pa.array(values, pa.uint32()).take(distinct.indices), "I")
