"""What is deployed, as values: a template's functions, a collector file with line numbers.

And what is wrong with the latter where ADOT's collector is to read it.
"""

from otel.template.check import check_collector
from otel.template.collector import Collector, read_collector
from otel.template.finding import Finding
from otel.template.function import Function, read_functions

__all__ = ["Collector", "Finding", "Function", "check_collector", "read_collector", "read_functions"]
