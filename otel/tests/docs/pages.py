"""The pages of the documentation as values: code blocks, headings, links, tables."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Page:
    """A Markdown file, by its path below the root."""

    path: str

    @cached_property
    def text(self) -> str:
        """The whole file."""
        return (ROOT / self.path).read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """The file without its code blocks."""
        return re.sub(r"^```.*?^```$", "", self.text, flags=re.DOTALL | re.MULTILINE)

    def blocks(self, language: str) -> list[str]:
        """The contents of the code blocks in one language."""
        return re.findall(rf"^```{language}\n(.*?)^```$", self.text, re.DOTALL | re.MULTILINE)

    def headings(self) -> list[tuple[int, str]]:
        """Level and text of each heading."""
        return [(len(marks), text) for marks, text in re.findall(r"^(#+) (.+)$", self.prose, re.MULTILINE)]

    def anchors(self) -> set[str]:
        """What may follow `#` in a link to this page, by GitHub's rule."""
        return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for _, text in self.headings()}

    def links(self) -> list[str]:
        """The targets of links and pictures."""
        plain = re.sub(r"`[^`]*`", "", self.prose)
        inline = re.findall(r"\]\(([^)\s]+)\)", plain)
        references = re.findall(r"^\[[^\]]+\]: (\S+)$", plain, re.MULTILINE)
        return [*inline, *references, *re.findall(r'(?:src|srcset)="([^"]+)"', plain)]

    def code(self) -> list[str]:
        """Commands and names: the lines of shell blocks, and everything in code marks."""
        lines = [line for block in self.blocks("sh") for line in block.splitlines()]
        return [*lines, *re.findall(r"`([^`\n]+)`", self.prose)]

    def table(self, header: str) -> list[list[str]]:
        """The rows below a header, which is the row's text without its outer bars."""
        body = self.text.split(f"| {header} |\n", 1)[1].split("\n\n", 1)[0]
        return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in body.splitlines()[1:]]


def page(path: str) -> Page:
    """The page at a path below `docs`."""
    return Page(f"docs/{path}")


README = Page("README.md")
JAPANESE = Page("README.ja.md")
PAGES = [
    README,
    JAPANESE,
    Page("CONTRIBUTING.md"),
    *(Page(str(path.relative_to(ROOT))) for path in sorted((ROOT / "docs").rglob("*.md"))),
]
