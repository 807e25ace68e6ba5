"""Changes the working directory, the path and variables."""

import os
import sys

os.chdir("/tmp")
sys.path.insert(0, "/tmp")
os.environ["SET_BY_USER"] = "1"
os.environ.pop("AWS_XRAY_CONTEXT_MISSING", None)


def handler(event, context):
    return [os.getcwd(), sys.path[0], os.environ["SET_BY_USER"], os.environ.get("AWS_XRAY_CONTEXT_MISSING")]
