"""The README of a package's index page, where a relative link leads nowhere. Hatchling runs it when it builds."""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r'(\]\(|src="|srcset=")(?!https?://|#)([^)"]+)')
PICTURES = (".svg", ".webp")


class IndexPage(MetadataHookInterface):
    """Sets `readme` to README.md with absolute links."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the field; `metadata` is the table `project` of pyproject.toml."""
        source = metadata["urls"]["Source"]

        def absolute(link: re.Match[str]) -> str:
            return f"{link[1]}{source}/{'raw' if link[2].endswith(PICTURES) else 'blob'}/main/{link[2]}"

        text = LINK.sub(absolute, Path(self.root, "README.md").read_text("utf-8"))
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
