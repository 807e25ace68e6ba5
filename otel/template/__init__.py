"""A collector file as a value with line numbers, and what is wrong with it where ADOT's collector is to read it."""

from otel.template.check import check_collector
from otel.template.collector import Collector, read_collector
from otel.template.finding import Finding

__all__ = ["Collector", "Finding", "check_collector", "read_collector"]
