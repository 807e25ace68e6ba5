"""The parts of the page's source that other pages of the kit use: colours, fonts, and the making of elements."""

from __future__ import annotations

from pathlib import Path

__all__ = ["shared_script", "shared_style"]

SOURCE = Path(__file__).parent / "source"


def shared_style() -> str:
    """Colours, fonts, and styles of buttons, tables and parts."""
    return (SOURCE / "style" / "base.css").read_text(encoding="utf-8")


def shared_script() -> str:
    """Functions that make elements, as a module."""
    return (SOURCE / "script" / "elements.js").read_text(encoding="utf-8")
