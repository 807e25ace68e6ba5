"""Converts breakdowns to an Arrow table and back, without loss, by column: no Python object per request is made.

The table has one row per request. The `ns` of `parts` add up to `wall_ns`. `calls` count all calls, waited for or not;
their `ns` is -1 for an entry that counts for a component without being a call.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from lambda_latency.latency import Breakdowns, Calls, Component, Edge, Kind, Operation

AT_ONCE = 2048  # rows in memory
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
        ("callers", pa.list_(TEXT)),  # the services that wait; may be missing
        ("call_callers", pa.list_(TEXT)),  # of each entry of `calls`
        ("spans", TEXT),  # the file with its spans
        ("written_ns", pa.int64()),  # the newest row counts
        ("outline", TEXT),  # JSON; may be missing
        ("sample", TEXT),  # the file of samples with its spans, if a report reads them; may be missing
    ]
)


def table_of(breakdowns: Breakdowns, spans: Sequence[str], written_ns: int, samples: Sequence[str | None]) -> Any:
    """Return the table of breakdowns (schema `SCHEMA`); `spans` and `samples`: the path of each request's files."""
    kinds = list(breakdowns.kinds)
    kind_of = pa.array(breakdowns.kind_of, pa.int32())
    edges, calls = list(breakdowns.edges), list(breakdowns.calls)
    edge_of, call_of = pa.array(breakdowns.edge_of, pa.int32()), pa.array(breakdowns.call_of, pa.int32())
    ids = breakdowns.trace_ids.hex()
    parts = _parts([edge.component for edge in edges], edge_of)
    called = _parts([edge.component for edge, _ in calls], call_of)
    counters = [counter for _, counter in calls]
    called += [_member(counters, name, pa.int32(), call_of) for name in COUNTS]
    columns = [
        pa.array([ids[start : start + 32] for start in range(0, len(ids), 32)], pa.string()),
        _member(kinds, "route", pa.string(), kind_of).dictionary_encode(),
        _member(kinds, "function", pa.string(), kind_of).dictionary_encode(),
        _member(kinds, "status_code", pa.int32(), kind_of),
        pa.array(breakdowns.starts_ns, pa.int64()),
        pa.array(breakdowns.walls_ns, pa.int64()),
        *(_member(kinds, name, pa.bool_(), kind_of) for name in ("cold_start", "error", "timed_out")),
        _member(kinds, "flaws", pa.int32(), kind_of),
        _lists(breakdowns.edges_end, [*parts, pa.array(breakdowns.edge_ns, pa.int64())], "parts"),
        _lists(breakdowns.calls_end, [*called, pa.array(breakdowns.call_ns, pa.int64())], "calls"),
        _callers(breakdowns.edges_end, [edge.caller for edge in edges], edge_of),
        _callers(breakdowns.calls_end, [edge.caller for edge, _ in calls], call_of),
        pa.array(spans, pa.string()).dictionary_encode(),
        pa.array([written_ns] * len(breakdowns), pa.int64()),
        _texts([json.dumps(outline) for outline in breakdowns.outlines], pa.array(breakdowns.outline_of, pa.int32())),
        pa.array(samples, pa.string()).dictionary_encode(),
    ]
    return pa.table(columns, schema=SCHEMA)


def breakdowns_of(table: Any, operations: dict[Operation, Operation] | None = None) -> Breakdowns:
    """Return the breakdowns of a table with `SCHEMA`, in its order. They share `operations` with others."""
    breakdowns, shared = Breakdowns(), {} if operations is None else operations
    table = table.combine_chunks()
    if not table.num_rows:
        return breakdowns
    breakdowns.trace_ids += _ids(table["trace_id"])
    breakdowns.starts_ns, breakdowns.walls_ns = (
        _copy(table[name], "q") for name in ("start_time_unix_nano", "wall_ns")
    )
    names = ("route", "function", "status_code", "cold_start", "error", "timed_out", "flaws")
    breakdowns.kind_of = _numbers([table[name] for name in names], lambda row: breakdowns.kinds[Kind(*row)])
    outlines = table["outline"].cast(pa.string()).combine_chunks().fill_null("[]")
    breakdowns.outline_of = _numbers([outlines], lambda row: breakdowns.outlines[_outline(row[0], shared)])
    parts, calls = _one(table["parts"]), _one(table["calls"])
    breakdowns.edges_end, breakdowns.calls_end = _ends(parts), _ends(calls)
    breakdowns.edge_of = _numbers(_cells(parts, table["callers"]), lambda row: breakdowns.edges[_cell(*row)])
    breakdowns.edge_ns = _copy(parts.flatten().field("ns"), "q")
    counts = [calls.flatten().field(name) for name in COUNTS]
    breakdowns.call_of = _numbers(
        [*_cells(calls, table["call_callers"]), *counts],
        lambda row: breakdowns.calls[(_cell(*row[:4]), Calls(*row[4:]))],
    )
    breakdowns.call_ns = _copy(calls.flatten().field("ns"), "q")
    return breakdowns


def requests_in(files: Sequence[Path]) -> tuple[Breakdowns, Any]:
    """Return the requests in files of accounts, the newest row of each, and a table of the paths of their spans.

    Only some rows are in memory at a time.
    """
    names = ["trace_id", "spans", "sample", "written_ns"]
    rows = pa.concat_tables([_empty(names), *_tables(files, names)]).unify_dictionaries()
    numbered = rows.append_column("row", pa.array(range(rows.num_rows), pa.int64()))
    paths, breakdowns, begin = newest(numbered), Breakdowns(), 0
    operations: dict[Operation, Operation] = {}
    for table in _tables(files, SCHEMA.names):
        is_newest = pc.is_in(numbered["row"].slice(begin, len(table)), paths["row"])
        begin += len(table)
        breakdowns.extend(breakdowns_of(with_callers(table.filter(is_newest)), operations))
    sampled = paths.filter(pc.is_valid(paths["sample"]))["trace_id"].to_pylist()
    breakdowns.sampled = frozenset(sampled) or None  # an earlier release wrote none: spans are read from their files
    return breakdowns, paths


def _tables(files: Sequence[Path], names: Sequence[str]) -> Iterator[Any]:
    """Yield some rows at a time of files of accounts, the columns with these names; a missing one is null."""
    for path in files:
        file = parquet.ParquetFile(path, memory_map=True, pre_buffer=False)
        written = [name for name in names if name in file.schema_arrow.names]
        for batch in file.iter_batches(batch_size=AT_ONCE, columns=written, use_threads=False):
            yield pa.concat_tables([pa.table(batch), _empty(names)], promote_options="default").select(names)


def _empty(names: Sequence[str]) -> Any:
    return SCHEMA.empty_table().select(names)


def newest(table: Any) -> Any:
    """Return the newest row of each trace."""
    ids = table["trace_id"]
    if pc.count_distinct(ids).as_py() == table.num_rows:
        return table
    order = pc.sort_indices(table, sort_keys=[("written_ns", "descending")])
    ordered = table.select(["trace_id"]).take(order).append_column("at", order)
    firsts = ordered.group_by("trace_id", use_threads=False).aggregate([("at", "first")])["at_first"]
    return table.take(pc.take(firsts, pc.array_sort_indices(firsts)))


def plain(table: Any) -> Any:
    """Return the table without dictionaries, which Spark cannot read."""
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
    """Return a dictionary-encoded column of texts by index; `values` may repeat."""
    return pa.array(values, pa.string()).take(numbers).dictionary_encode()


def _member(objects: Sequence[object], name: str, kind: Any, numbers: Any) -> Any:
    """Return a column of one member of objects, by index."""
    return pa.array([getattr(owner, name) for owner in objects], kind).take(numbers)


def _parts(parts: Sequence[Component], numbers: Any) -> list[Any]:
    return [_member(parts, name, pa.string(), numbers).dictionary_encode() for name in ("category", "name", "whose")]


def _callers(ends: array[int], callers: Sequence[str], numbers: Any) -> Any:
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), _texts(callers, numbers))


def with_callers(table: Any) -> Any:
    """Add the callers of components and calls, if an earlier release wrote none: only those of own code are known."""
    for name, entries in (("callers", "parts"), ("call_callers", "calls")):
        if table[name].null_count:
            column = _one(table[entries])
            flat = column.flatten()
            is_own_code = pc.is_in(flat.field("bucket").cast(pa.string()), pa.array(["own code", "cold start"]))
            callers = pc.if_else(is_own_code, flat.field("name").cast(pa.string()), "").dictionary_encode()
            lists = pa.ListArray.from_arrays(_offsets_of(column), callers)
            table = table.set_column(table.schema.get_field_index(name), SCHEMA.field(name), lists)
    return table


def _one(column: Any) -> Any:
    """Return a column in one piece."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _cell(bucket: str, name: str, owner: str, caller: str) -> Edge:
    return Edge(caller, Component(bucket, name, owner))


def _outline(text: str, shared: dict[Operation, Operation]) -> tuple[Operation, ...]:
    operations = (Operation(service, name, tuple(callees)) for service, name, callees in json.loads(text))
    return tuple(shared.setdefault(operation, operation) for operation in operations)


def _lists(ends: array[int], columns: Sequence[Any], name: str) -> Any:
    """Return the column of this name, from the columns of its entries."""
    kind = SCHEMA.field(name).type
    structs = pa.StructArray.from_arrays(list(columns), fields=list(kind.value_type))
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), structs).cast(kind)


def _cells(lists: Any, callers: Any) -> list[Any]:
    """Return the columns of all entries from which `_cell` makes an edge."""
    entries = lists.flatten()
    return [entries.field("bucket"), entries.field("name"), entries.field("owner"), _one(callers).flatten()]


def _ends(lists: Any) -> array[int]:
    return _copy(_offsets_of(lists).cast(pa.uint32()), "I")


def _offsets_of(column: Any) -> Any:
    return pc.subtract(column.offsets, column.offsets[0])


def _ids(column: Any) -> bytes:
    """Return the ids as bytes, 16 per id, read from Arrow's buffer."""
    column = _one(column)
    ends = column.buffers()[1]
    positions = (column.offset * 4, (column.offset + len(column)) * 4)
    start, end = (int.from_bytes(ends[position : position + 4].to_pybytes(), "little") for position in positions)
    return bytes.fromhex(column.buffers()[2][start:end].to_pybytes().decode("ascii"))


def _copy(column: Any, code: str) -> array[int]:
    """Copy a column of numbers without nulls by buffer: no Python object per value is made."""
    column = _one(column)
    numbers = array(code)
    start = column.offset * numbers.itemsize
    numbers.frombytes(column.buffers()[1][start : start + len(column) * numbers.itemsize])
    return numbers


def _numbers(columns: Sequence[Any], number: Any) -> array[int]:
    """Return an index per row for the combination of columns; `number` is called once per distinct combination."""
    key: Any = None
    encoded = []
    for column in map(_one, columns):
        is_encoded = isinstance(column, pa.DictionaryArray)
        encoded.append(column if is_encoded else column.dictionary_encode("encode"))
        codes, size = encoded[-1].indices.cast(pa.int64()), len(encoded[-1].dictionary)
        key = codes if key is None else pc.add(pc.multiply(key, size), codes)
    if key is None or not len(key):
        return array("I")
    distinct = key.dictionary_encode()
    values = []
    for combined in distinct.dictionary.to_pylist():
        row, code = [], combined
        for column in reversed(encoded):
            code, index = divmod(code, len(column.dictionary))
            row.append(column.dictionary[index].as_py())
        values.append(number(tuple(reversed(row))))
    return _copy(pa.array(values, pa.uint32()).take(distinct.indices), "I")
