"""The report as one HTML page: `source` has markup, styles and scripts by section; `build_page` adds the data."""

from lambda_latency.page.build import build_page
from lambda_latency.page.values import page_values

__all__ = ["build_page", "page_values"]
