"""Lines as JSON documents: one document a line or one over many lines, cut or broken."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.trace.document import is_trace_document
from lambda_latency.trace.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_latency.trace.sources import Source

__all__ = ["Document", "documents", "documents_by_line", "parse"]


class Document(NamedTuple):
    """A parsed document, the text that it was parsed from, and the line on which it begins."""

    line: int
    value: object
    text: bytes


def documents(source: Source, numbered: Iterator[tuple[int, bytes]], problems: list[Problem]) -> Iterator[Document]:
    """Each JSON document in the lines of a file; what is none is added to `problems`."""
    first = next(numbered, None)
    if first is None:
        return
    number, line = first
    value, reason = parse(line)
    if reason is None:
        yield Document(number, value, line)
    else:
        # Either one document over many lines, or the first line of many is broken. Where the second one is a document
        # by itself they are lines; else only all of it together tells.
        second = next(numbered, None)
        following = [second] if second is not None else []
        if second is None or is_trace_document(parse(second[1])[0]):
            problems.append(Problem(source.name, number, reason))
            numbered = itertools.chain(following, numbered)
        else:
            rest = [*following, *numbered]
            text = b"".join([line, *(text for _, text in rest)])
            value, whole = parse(text)
            if whole is None:
                yield Document(number, value, text)
                return
            broken: list[Problem] = []
            read = list(documents_by_line(source, iter(rest), broken))
            if any(is_trace_document(one.value) for one in read):
                problems += [Problem(source.name, number, reason), *broken]
                yield from read
            else:
                problems.append(Problem(source.name, number, whole))
            return
    yield from documents_by_line(source, numbered, problems)


def documents_by_line(
    source: Source, numbered: Iterator[tuple[int, bytes]], problems: list[Problem]
) -> Iterator[Document]:
    """Each line as a document of its own; what is none is added to `problems`."""
    for number, line in numbered:
        value, reason = parse(line)
        if reason is None:
            yield Document(number, value, line)
        else:
            problems.append(Problem(source.name, number, reason))


def parse(text: bytes) -> tuple[object, str | None]:
    """A document, or why it is none."""
    try:
        return json.loads(text.strip().decode("utf-8-sig")), None
    except UnicodeDecodeError:
        return None, "not text: bytes that are no UTF-8"
    except json.JSONDecodeError as error:
        if not text.rstrip().endswith((b"}", b"]")):
            return None, f"cut or not JSON: {error.msg} (column {error.colno})"
        return None, f"not JSON: {error.msg} (column {error.colno})"
    except RecursionError:
        return None, "not read: nested too deeply"
    except ValueError as error:
        return None, f"not JSON: {error}"
