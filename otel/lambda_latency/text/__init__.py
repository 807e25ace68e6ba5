"""The report as text, Markdown and JSON: pure functions from values to lines, and from lines to text."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lambda_latency.latency import instant_of
from lambda_latency.text.cause_groups import OWNED, of_routes, unclassified, unexplained, whole_sentence
from lambda_latency.text.cautions import failed_sentence, other_cautions, render_problems
from lambda_latency.text.correlation import depending, depending_routes
from lambda_latency.text.facts import BOUND, sampling, saving_pieces
from lambda_latency.text.findings import doing, finding_pieces
from lambda_latency.text.prose import (
    Card,
    blaming,
    cards,
    cards_with_steps,
    failed_card,
    first_sentence,
    flat,
    paragraphs,
    sentence,
    timeout_groups,
    timeout_sentence,
)
from lambda_latency.text.style import Piece, Style, paint, plain, style_for
from lambda_latency.text.terminal import render_report, render_waterfall
from lambda_latency.text.waterfall import render_flame
from lambda_latency.text.words import aligned, clean, ms, owner, plural

if TYPE_CHECKING:
    from lambda_latency.text.against import against_sentence, is_of_change
    from lambda_latency.text.against_table import change_rows
    from lambda_latency.text.finding_rows import FindingRow, FindingRows, headline
    from lambda_latency.text.group_values import decision_values
    from lambda_latency.text.json_document import document, timeout_values
    from lambda_latency.text.markdown import card_markdown, escaped, markdown_table, render_markdown
    from lambda_latency.text.page_words import PAGE_WORDS

__all__ = [
    "BOUND",
    "OWNED",
    "PAGE_WORDS",
    "Card",
    "FindingRow",
    "FindingRows",
    "Piece",
    "Style",
    "against_sentence",
    "aligned",
    "blaming",
    "card_markdown",
    "cards",
    "cards_with_steps",
    "change_rows",
    "clean",
    "decision_values",
    "depending",
    "depending_routes",
    "document",
    "doing",
    "escaped",
    "failed_card",
    "failed_sentence",
    "finding_pieces",
    "first_sentence",
    "flat",
    "headline",
    "instant_of",
    "is_of_change",
    "markdown_table",
    "ms",
    "of_routes",
    "other_cautions",
    "owner",
    "paint",
    "paragraphs",
    "plain",
    "plural",
    "render_flame",
    "render_markdown",
    "render_problems",
    "render_report",
    "render_waterfall",
    "sampling",
    "saving_pieces",
    "sentence",
    "style_for",
    "timeout_groups",
    "timeout_sentence",
    "timeout_values",
    "unclassified",
    "unexplained",
    "whole_sentence",
]

# Imported at the first use: a report in the terminal starts sooner.
LATER = {
    "card_markdown": "markdown",
    "is_of_change": "against",
    "headline": "finding_rows",
    "FindingRows": "finding_rows",
    "FindingRow": "finding_rows",
    "PAGE_WORDS": "page_words",
    "against_sentence": "against",
    "change_rows": "against_table",
    "decision_values": "group_values",
    "document": "json_document",
    "timeout_values": "json_document",
    "escaped": "markdown",
    "markdown_table": "markdown",
    "render_markdown": "markdown",
}


def __getattr__(name: str) -> Any:
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{LATER[name]}"), name)
