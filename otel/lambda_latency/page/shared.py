"""The parts of the page that other pages of the kit use: colours, fonts, and the making of elements."""

from __future__ import annotations

from pathlib import Path

BUNDLE = Path(__file__).parent / "bundle"


def shared_style() -> str:
    """Colours, fonts, and styles of buttons, tables and parts; a part has the class of its bucket, `p-own-code`."""
    return (BUNDLE / "shared.css").read_text(encoding="ascii")


def shared_script() -> str:
    """Functions that make elements, for a page whose scripts share one scope."""
    functions, _, _ = (BUNDLE / "shared.js").read_text(encoding="utf-8").partition("\nexport {")
    return functions + "\n"
