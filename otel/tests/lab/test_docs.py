"""The documentation is followed to the letter: blocks are found, run and compared, and a wrong one is told."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import lab.docs.__main__ as program
from lab.docs.blocks import Block, BlockError, blocks_of, missing_line
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


def test_blocks_with_what_is_told_of_them() -> None:
    """Commands and files; an output belongs to the block before it."""
    assert list(blocks_of(PAGE)) == [
        Block(4, "json", "{}\n", {"file": "a.json"}),
        Block(
            9,
            "sh",
            "test -f made && cat a.json missing\n",
            {"before": "touch made", "status": "1"},
            "cat: missing: ...\n",
        ),
    ]


def test_a_text_below_another_comment_is_no_output() -> None:
    """Another test compares it, with what its comment names."""
    page = "```sh\ntrue\n```\n\n<!-- answer: why_slow {} -->\n```text\nof a tool\n```\n"
    assert list(blocks_of(page)) == [Block(1, "sh", "true\n")]


def test_a_comment_that_is_not_understood() -> None:
    """With its line."""
    with pytest.raises(BlockError, match=r"^line 1: 'state 1' is not one of skip, status,"):
        list(blocks_of("<!-- docs: state 1 -->\n```sh\nfalse\n```\n"))


def test_a_page_is_followed(reader: Reader) -> None:
    """Files are written, commands run, and the next block begins where the one before has ended."""
    for block in blocks_of(
        PAGE + "```sh\nmkdir below\ncd below\n```\n\n```py\nfrom pathlib import Path\nPath('here').touch()\n```\n"
    ):
        reader.follow(block)
    assert sorted(str(one.relative_to(reader.home / "app")) for one in (reader.home / "app").rglob("*")) == [
        "a.json", "below", "below/here", "made",
    ]  # fmt: skip


def test_an_id_is_the_one_that_a_command_prints(reader: Reader) -> None:
    """A page cannot know it; without one the page is wrong."""
    shown, printed = "1-5759e988-bd862e3fe1be46a994272793", "1-6a0b1c2d-000000000000000000000001"
    reader.follow(Block(1, "sh", f"test {shown} = {printed}\n", {"ids": f"echo an id: {printed}"}))
    with pytest.raises(WrongError, match="echo none prints no trace id:\n  none"):
        reader.follow(Block(1, "sh", f"echo {shown}\n", {"ids": "echo none"}))


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
    with pytest.raises(WrongError) as told:
        reader.follow(block)
    assert str(told.value).rstrip() == reason


@pytest.mark.parametrize(
    ("page", "wrong", "said"),
    [
        ("```sh\ntrue\n```\n", False, ": 1 blocks hold, "),
        ("```sh\ntrue\n```\n\n```sh\nfalse\n```\n", True, ":5: status 1, not 0:"),
        ("```sh\necho two\n```\n\n```text\none\n```\n", True, ":1: the page shows the line\n  one\n"),
        ("<!-- docs: skip needs Docker -->\n```sh\nfalse\n```\n", False, "skipped, line 2: needs Docker"),
    ],
)
def test_a_page_with_a_wrong_block_fails(
    page: str,
    wrong: bool,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With its line; one that cannot run here is named, and is no failure."""
    (tmp_path / "page.md").write_text(page)
    (tmp_path / "home" / "app").mkdir(parents=True)
    monkeypatch.setattr(program, "prepare", lambda *_: None)
    assert program._follow(tmp_path / "page.md", tmp_path / "home", tmp_path / "wheel") is wrong
    assert said in capsys.readouterr().out


def test_a_command_that_goes_on_ends_with_the_page(tmp_path: Path) -> None:
    """By Ctrl-C."""
    (tmp_path / "app").mkdir()
    program = f"{shlex.quote(sys.executable)} -uc 'import time; print(\"is up\"); time.sleep(600)'\n"
    with reading(tmp_path) as reader:
        reader.follow(Block(1, "sh", program, {"until": "is up"}))
        ((process, _),) = reader.started
        assert process.poll() is None
    assert process.returncode not in (None, 0)


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
        assert block.told.get("skip", "a reason").strip()
