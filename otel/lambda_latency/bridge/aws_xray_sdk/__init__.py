"""The package `aws_xray_sdk`, whose subsegments are OpenTelemetry spans; the finder makes its modules."""

import sys

from lambda_latency.bridge.context import SDKConfig
from lambda_latency.bridge.names import Finder

global_sdk_config = SDKConfig
sys.meta_path.insert(0, Finder())
