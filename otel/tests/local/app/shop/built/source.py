"""What a Makefile turns into a handler."""

from typing import Any

import made_layer  # type: ignore[import-not-found]


def handler(event: Any, context: Any) -> str:
    """Say who has made it."""
    return f"from WORD, {made_layer.WORD}"
