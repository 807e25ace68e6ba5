"""A report as one page: `source` holds it as it is written, by section; here it is put together with its data."""

from lambda_latency.page.build import build_page
from lambda_latency.page.values import page_values

__all__ = ["build_page", "page_values"]
