"""The report as text, Markdown and JSON: pure functions from values to lines, and from lines to text."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lambda_latency.text.cards import Card, blaming, cards, failed_card, told_once
from lambda_latency.text.cautions import other_cautions, render_problems
from lambda_latency.text.classes import beside, class_sentence, instant_of, whole_sentence
from lambda_latency.text.comparison import shown_and_folded
from lambda_latency.text.depends import depending, depending_routes
from lambda_latency.text.facts import BOUND, sampling, saving_pieces
from lambda_latency.text.own_code import doing
from lambda_latency.text.prose import OWNED, evidence, flat, next_steps, sentence, timeout_groups, timeout_sentence
from lambda_latency.text.style import Line, Piece, Style, paint, style_for
from lambda_latency.text.terminal import paragraphs, render_report, render_waterfall
from lambda_latency.text.words import aligned, clean, ms, owner, signed

if TYPE_CHECKING:
    from lambda_latency.text.against import against_sentence, change_rows
    from lambda_latency.text.flame import render_flame
    from lambda_latency.text.json_document import document
    from lambda_latency.text.markdown import render_markdown
    from lambda_latency.text.page_words import PAGE_WORDS

__all__ = [
    "BOUND",
    "OWNED",
    "PAGE_WORDS",
    "Card",
    "Line",
    "Piece",
    "Style",
    "against_sentence",
    "aligned",
    "beside",
    "blaming",
    "cards",
    "change_rows",
    "class_sentence",
    "clean",
    "depending",
    "depending_routes",
    "document",
    "doing",
    "evidence",
    "failed_card",
    "flat",
    "instant_of",
    "ms",
    "next_steps",
    "other_cautions",
    "owner",
    "paint",
    "paragraphs",
    "render_flame",
    "render_markdown",
    "render_problems",
    "render_report",
    "render_waterfall",
    "sampling",
    "saving_pieces",
    "sentence",
    "shown_and_folded",
    "signed",
    "style_for",
    "timeout_groups",
    "timeout_sentence",
    "told_once",
    "whole_sentence",
]

# Imported at the first use: a report in the terminal starts sooner.
LATER = {
    "PAGE_WORDS": "page_words",
    "against_sentence": "against",
    "change_rows": "against",
    "document": "json_document",
    "render_flame": "flame",
    "render_markdown": "markdown",
}


def __getattr__(name: str) -> Any:
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{LATER[name]}"), name)
