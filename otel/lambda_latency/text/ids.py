"""In which form the trace ids of a report are printed: as their source writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_latency.latency import Report

__all__ = ["has_xray_ids"]

AWS = ("api gateway", "lambda")  # whose traces are looked up in X-Ray


def has_xray_ids(report: Report) -> bool:
    """Whether its requests came through API Gateway or Lambda, whose traces X-Ray has."""
    return any(part.bucket in AWS for part in report.totals.parts)
