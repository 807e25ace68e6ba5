"""Lambda's bootstrap with a runtime client in which `wait_next_invocation` cannot be found: a later one may be so."""

import os
import sys

from awslambdaric.__main__ import main

sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
del sys.modules["awslambdaric.lambda_runtime_client"]
main([sys.argv[0], os.environ["_HANDLER"]])
