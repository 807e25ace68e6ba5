"""The documentation is followed to the letter: blocks are found, run and compared, and a wrong one is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.docs.blocks import Block, blocks_of, missing_line
from lab.docs.reader import Reader, WrongError, reading
from tests.docs.pages import ROOT

PAGE = """\
# A page

<!-- docs: file a.json -->
```json
{}
```

<!-- docs: before touch made; status 1 -->
```sh
test -f made && cat a.json missing
```

It says:

```text
cat: missing: ...
```

```yaml
not: run
```
"""


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """A reader in an empty folder."""
    (tmp_path / "app").mkdir()
    with reading(tmp_path) as reader:
        yield reader


def test_a_page_is_followed(reader: Reader) -> None:
    """Files are written, commands run, and the next block begins where the one before has ended."""
    for block in blocks_of(
        PAGE + "```sh\nmkdir below\ncd below\n```\n\n```py\nfrom pathlib import Path\nPath('here').touch()\n```\n"
    ):
        reader.follow(block)
    assert sorted(str(path.relative_to(reader.home / "app")) for path in (reader.home / "app").rglob("*")) == [
        "a.json", "below", "below/here", "made",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (Block(1, "sh", "echo no; exit 3\n"), "status 3, not 0:\n  no"),
        (Block(1, "sh", "true\n", {"status": "1"}), "status 0, not 1:"),
        (Block(1, "sh", "echo two\n", {}, "one\n"), "the page shows the line\n  one\nbut the block printed\n  two"),
        (Block(1, "sh", "echo ready\n", {"until": "is up"}), "it has not printed 'is up':\n  ready"),
    ],
)
def test_a_wrong_block_is_told(reader: Reader, block: Block, reason: str) -> None:
    """With what was printed."""
    with pytest.raises(WrongError) as error:
        reader.follow(block)
    assert str(error.value).rstrip() == reason


@pytest.mark.parametrize(
    ("shown", "printed", "line"),
    [
        ("1 passed in 2.02s\n", "x\n1 passed in 11.5s\n", None),
        ("a\n...\nb\n", "a\nmore\nb\n", None),
        ("b\na\n", "a\nb\n", "a"),
        ("trace 1-5759e988-bd862e3fe1be46a994272793\n", "trace 1-6a0b1c2d-000000000000000000000001\n", None),
        ("  + └─ Query  CLIENT\n", "  + ├─ Query  CLIENT\n", "  + └─ Query  CLIENT"),
        ("12 of 40 requests\n", "12 of forty requests\n", "12 of 40 requests"),
    ],
)
def test_outputs_are_compared_without_their_numbers(shown: str, printed: str, line: str | None) -> None:
    """Lines in their order; `...` stands for anything."""
    assert missing_line(shown, printed) == line


@pytest.mark.parametrize("path", sorted(ROOT.glob("docs/[th]*/*.md")), ids=lambda path: path.stem)
def test_the_comments_of_the_pages_are_understood(path: Path) -> None:
    """`lab docs` runs the blocks; a reason stands where it cannot."""
    for block in blocks_of(path.read_text()):
        assert block.annotations.get("skip", "a reason").strip()
