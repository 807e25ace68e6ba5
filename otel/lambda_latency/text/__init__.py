"""The account as text for a terminal: pure functions from values to lines, and lines to text."""

from lambda_latency.latency import largest_part
from lambda_latency.text.report import render_report, render_waterfall
from lambda_latency.text.style import Line, Piece, Style, paint, style_for

__all__ = ["Line", "Piece", "Style", "largest_part", "paint", "render_report", "render_waterfall", "style_for"]
