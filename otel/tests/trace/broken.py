"""Documents of every format, broken at random: no document may stop the reader, and no span may be lost silently."""

import random
from pathlib import Path

from lambda_latency.cli.commands.report import run_report
from lambda_latency.cli.request import Request
from lambda_latency.text import Style
from lambda_latency.trace import read_traces
from tests.trace.writers import SPANS, WRITERS

WORDS = (b"null", b"7", b'"x"', b"[]", b"{}", b"-1", b"1e400", b"true", b'""', b"[{}]", b"99999999999999999999999")


def break_one(data: bytes, draw: random.Random) -> bytes:
    """One change: bytes cut, doubled, swapped or overwritten, or a value of another type."""
    start = draw.randrange(len(data))
    end = min(len(data), start + draw.choice((1, 2, 5, 40)))
    kind = draw.randrange(7)
    if kind == 0:
        return data[:start]
    if kind == 1:
        return data[:start] + data[end:]
    if kind == 2:
        return data[:end] + data[start:]
    if kind == 3:
        return data[:start] + bytes([draw.randrange(256)]) + data[start + 1 :]
    if kind == 4:
        return data[:start] + draw.randbytes(draw.randrange(1, 9)) + data[start:]
    return _other_value(data, draw)


def _other_value(data: bytes, draw: random.Random) -> bytes:
    """Another value for a member, if the text has one; otherwise another byte."""
    colons = [position for position in range(len(data)) if data[position : position + 1] == b":"]
    if not colons:
        return data[: len(data) // 2] + draw.randbytes(1) + data[len(data) // 2 + 1 :]
    start = draw.choice(colons) + 1
    end = start
    while end < len(data) and data[end : end + 1] not in (b",", b"}", b"]", b"\n"):
        end += 1
    return data[:start] + draw.choice(WORDS) + data[end:]


def check(name: str, seed: int, folder: Path) -> None:
    """Break a document of a format and report on it. Raises `AssertionError` with the format and the seed."""
    draw = random.Random(f"{name} {seed}")  # noqa: S311 - a repeatable seed
    data = WRITERS[name]()
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        data = break_one(data, draw) or b" "
    path = folder / "broken"
    path.write_bytes(data)
    case = f"{name}, seed {seed}"
    try:
        with (folder / "text").open("w") as out:
            status = run_report(Request([path], problems=True, everything=True), Style(), out)
        reading = read_traces(path)
    except Exception as error:
        raise AssertionError(f"{case}: {error!r}") from error
    read = sum(len(trace.spans) for trace in reading.traces)
    complete = bool(reading.problems) or read >= len(SPANS) or _names_fewer(data)
    assert complete, f"{case}: {read} of {len(SPANS)} spans, and no problem"
    is_partial = read > 0 and any(problem.effect == "skipped" for problem in reading.problems)
    assert status in (1, 4 if is_partial else 0), case


def _names_fewer(data: bytes) -> bool:
    """Whether the broken document lacks names of spans: then the reader cannot know how many there were."""
    counts = [data.count(span[2].encode()) for span in SPANS]
    return min(counts) == 0 or sum(counts) < len(SPANS)
