"""The check of `make prove` that decides whether a report may say how much faster more memory makes a line."""

from __future__ import annotations

import statistics

from lab.prove.scene import Evidence, Scene
from lab.prove.traced import adopted_functions, invoked, milliseconds

__all__ = ["twice"]

MEMORY_MB = (512, 1024)  # both below the 1,769 MB of a whole CPU
COMPUTES = b'{"rounds": 20000000}'
RUNS = 3


def twice(scene: Scene) -> Evidence:
    """Medians of a computing handler at some memory and at twice as much, by Lambda's own log."""
    client, function = scene.place.client("lambda"), adopted_functions(scene)["Bare"]
    took: list[float] = []
    for memory in MEMORY_MB:
        client.update_function_configuration(FunctionName=function, MemorySize=memory)
        client.get_waiter("function_updated").wait(FunctionName=function)
        invoked(scene, function)  # the cold start
        took.append(
            statistics.median([milliseconds(invoked(scene, function, COMPUTES), "Duration") for _ in range(RUNS)])
        )
    return Evidence(
        0.4 <= took[1] / took[0] <= 0.6,
        f"{took[0]:,.0f} ms at {MEMORY_MB[0]} MB, {took[1]:,.0f} ms at {MEMORY_MB[1]:,} MB",
    )
