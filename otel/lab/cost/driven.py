"""Instructions of a warm request, counted in one process: until the response, and in all.

Lambda's runtime client is left out, whose threads make single requests differ. A request is the difference that
`COUNTED` more of them make, so that a start is no part of it; garbage collections are, unless they are switched off.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from lab.cost.cell import EVENT, HEADER, variables
from lab.cost.counting import counted_process, patient
from lab.cost.variants import ROOT, Variant, interpreter

WARM_UP, COUNTED = 40, 40
LAMBDA = {
    "AWS_LAMBDA_FUNCTION_NAME": "orders", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_FUNCTION_VERSION": "1",
    "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a",
    "AWS_SECRET_ACCESS_KEY": "b", "AWS_LAMBDA_LOG_STREAM_NAME": "2024/11/25/[1]0123",
    "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "*", "LAMBDA_TASK_ROOT": str(ROOT),
    "EVENT": json.dumps(EVENT),
}  # fmt: skip


def request(
    variant: Variant, places: Mapping[str, str], *, after: bool = False, sampled: bool = True, collected: bool = True
) -> float:
    """Thousands of instructions of a request. `after`: with what follows the response; `collected`: with collections.

    Only for variants whose process needs no exec wrapper, and for the kit, which the driver starts itself.
    """
    environment = {
        **LAMBDA, **variables(variant, places), **patient(variant),
        "_X_AMZN_TRACE_ID": f"{HEADER}{int(sampled)};Lineage=1:ab:0",
        **({"LAMBDA_LATENCY_HANDLER": variant.handler} if variant.wrapper is not None else {}),
        **({} if after else {"NOTHING_AFTER": "1"}),
        **({} if collected else {"UNCOLLECTED": "1"}),
    }  # fmt: skip
    environment["PYTHONPATH"] += f":{ROOT}"
    command: list[str | Path] = [interpreter(variant.pins), "-m", "lab.cost.driver", variant.handler]
    fewer, more = (
        counted_process(variant.name, [*command, str(count)], environment) for count in (WARM_UP, WARM_UP + COUNTED)
    )
    return (more - fewer) / COUNTED / 1e3
