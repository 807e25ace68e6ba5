"""What is deployed, as values: a template's functions, a collector file with line numbers.

And what is wrong with the latter where ADOT's collector is to read it.
"""

from lambda_latency.template.check import check_collector
from lambda_latency.template.collector import Collector, read_collector
from lambda_latency.template.finding import Finding, nearest
from lambda_latency.template.function import Function, read_functions
from lambda_latency.template.node import Node, read_yaml

__all__ = [
    "Collector",
    "Finding",
    "Function",
    "Node",
    "check_collector",
    "nearest",
    "read_collector",
    "read_functions",
    "read_yaml",
]
