"""From traces to an answer: where the time of requests goes, and whose it is."""

from otel.latency.account import Account, account, largest_part
from otel.latency.part import Part
from otel.latency.totals import Tally, Totals, percentile

__all__ = ["Account", "Part", "Tally", "Totals", "account", "largest_part", "percentile"]
