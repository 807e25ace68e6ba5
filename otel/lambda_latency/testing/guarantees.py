"""The guarantees of every test: no orphan, no span left open or lost at the freeze, one trace per invocation."""

from __future__ import annotations

from lambda_latency.testing.capture import BEGUN
from lambda_latency.testing.drawing import draw_note, draw_recorded


def broken() -> str | None:
    """The broken guarantees of the test's recordings, with the tree; None without any."""
    for recording in BEGUN:
        for snapshot in recording.snapshots():
            found = snapshot.forest()
            faults = [f"{node.span.name}: {fault}" for node in found.nodes for fault in node.faults] + found.notes
            if faults:
                notes = [line for note in found.notes for line in draw_note(note)]
                return "\n".join(
                    [f"a guarantee of every test is broken: {faults[0]}", "", *draw_recorded(found), *notes]
                )
    return None
