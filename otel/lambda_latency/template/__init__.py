"""What is deployed, as values: a template's functions, a collector file with line numbers.

And what is wrong with them: names in a template that nothing has, a collector file that ADOT's collector cannot read.
"""

from lambda_latency.template.check import check_collector
from lambda_latency.template.collector import Collector, read_collector
from lambda_latency.template.finding import Finding, nearest
from lambda_latency.template.function import Function, read_functions
from lambda_latency.template.names import check_template
from lambda_latency.template.node import Node, read_yaml

__all__ = [
    "Collector",
    "Finding",
    "Function",
    "Node",
    "check_collector",
    "check_template",
    "nearest",
    "read_collector",
    "read_functions",
    "read_yaml",
]
