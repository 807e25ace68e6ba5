"""The blocks of a page, what is to be done with each, and whether an output is the one that a page shows.

A comment before a block, which readers do not see, says what is not plain: `<!-- docs: status 1 -->`. Several
sentences are separated by semicolons:

- `skip REASON`: the block cannot run here;
- `status N`: its exit status, 0 otherwise;
- `until TEXT`: a command that goes on; the block is over when it has printed TEXT, and it ends with the page;
- `before COMMAND`: a command that makes what the page supposes to be there;
- `ids COMMAND`: a trace id in the block stands for the first one that COMMAND prints;
- `file NAME`: the block is the content of this file;
- `in checkout`: the block, and those after it, run in a checkout of the project, not in the app that `init` writes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

FENCED = re.compile(
    r"(?:^<!-- docs: (?P<annotations>.*?) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
KEYS = ("skip", "status", "until", "before", "ids", "file", "in")
TRACE_ID = re.compile(r"\b(?:1-[0-9a-f]{8}-[0-9a-f]{24}|[0-9a-f]{32})\b")
COMMANDS = ("sh", "py", "python")
# A word with a digit in it differs from run to run: ids, times, ports, sizes.
VARIES = r"[\w,.:-]*\d[\w,.:-]*"


class BlockError(Exception):
    """A comment before a block that is not understood."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a page: the line that it begins at, its language, its text, and the output that the page shows."""

    line: int
    language: str
    text: str
    annotations: dict[str, str] = field(default_factory=dict)
    output: str = ""


def blocks_of(page: str) -> Iterator[Block]:
    """The blocks of a page that are run or written, in order. Raises `BlockError`."""
    annotated = [
        (match, _annotations(match["annotations"] or "", page, match.start())) for match in FENCED.finditer(page)
    ]
    for number, (match, annotations) in enumerate(annotated):
        if match["language"] not in COMMANDS and "file" not in annotations:
            continue
        following = annotated[number + 1][0] if number + 1 < len(annotated) else None
        shown = following["text"] if following is not None and _is_output(following, page) else ""
        yield Block(_line(page, match.start("language")), match["language"], match["text"], annotations, shown)


def _is_output(following: re.Match[str], page: str) -> bool:
    """Whether a block shows what the one before printed; another comment says that it shows something else."""
    return following["language"] == "text" and not page[: following.start()].endswith("-->\n")


def missing_line(shown: str, printed: str) -> str | None:
    """The first line of a page's output that was not printed; None if all of them were, in their order.

    Numbers and ids may differ, and `...` stands for anything.
    """
    lines = iter(printed.splitlines())
    for line in shown.splitlines():
        pattern = re.compile(_pattern(line))
        if line.strip() not in ("", "...") and not any(pattern.fullmatch(candidate.rstrip()) for candidate in lines):
            return line
    return None


def _pattern(line: str) -> str:
    parts = []
    for piece in re.split(r"(\.\.\.)", " ".join(line.split())):
        if piece == "...":
            parts.append(".*")
            continue
        parts.append(VARIES.join(re.escape(literal) for literal in re.split(VARIES, piece)))
    return r"\s*" + "".join(parts).replace(r"\ ", r"\s+") + r"\s*"


def _annotations(text: str, page: str, offset: int) -> dict[str, str]:
    annotations = {}
    for sentence in filter(None, (part.strip() for part in text.split(";"))):
        key, _, argument = sentence.partition(" ")
        if key not in KEYS or not argument:
            raise BlockError(f"line {_line(page, offset)}: {sentence!r} is not one of {', '.join(KEYS)} with its value")
        annotations[key] = argument
    return annotations


def _line(page: str, offset: int) -> int:
    return page.count("\n", 0, offset) + 1
