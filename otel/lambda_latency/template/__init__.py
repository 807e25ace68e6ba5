"""The functions of a template and the content of a collector file as values, with line numbers.

It also finds mistakes: names in a template that nothing has, and what ADOT's collector on Lambda would reject.
"""

from lambda_latency.template.artifact import LAYER_FOLDER, decoded, imports_in, own_python_files
from lambda_latency.template.collector import Collector, check_collector, read_collector
from lambda_latency.template.conditions import Undecided
from lambda_latency.template.inherited import first_value, places_of
from lambda_latency.template.names import check_template
from lambda_latency.template.node import Diagnostic, YamlNode, is_json, nearest, read_yaml, scalar
from lambda_latency.template.parameters import ACCOUNT, likely_value, passed_parameters, placeholder
from lambda_latency.template.places import by_hand, missing_template, nested_templates, usual_template
from lambda_latency.template.resolve import FunctionConfig, Resolved, node_of, read_functions, resolve, value_of

__all__ = [
    "ACCOUNT",
    "LAYER_FOLDER",
    "Collector",
    "Diagnostic",
    "FunctionConfig",
    "Resolved",
    "Undecided",
    "YamlNode",
    "by_hand",
    "check_collector",
    "check_template",
    "decoded",
    "first_value",
    "imports_in",
    "is_json",
    "likely_value",
    "missing_template",
    "nearest",
    "nested_templates",
    "node_of",
    "own_python_files",
    "passed_parameters",
    "placeholder",
    "places_of",
    "read_collector",
    "read_functions",
    "read_yaml",
    "resolve",
    "scalar",
    "usual_template",
    "value_of",
]
