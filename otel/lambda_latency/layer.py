"""The files of the kit's layer: the runtime, the X-Ray SDK's names on it, and the exec wrapper."""

from __future__ import annotations

from pathlib import Path

__all__ = ["WRAPPER", "layer_files"]

KIT = Path(__file__).parent
WRAPPER = "lambda-latency/wrapper"
NAMES = KIT / "bridge" / "names"
# Folders of the kit, and where they are in the layer: whatever is in `python` can be imported. The names are there
# twice, for a layer of Powertools that comes after this one has the X-Ray SDK in the same place.
FOLDERS = (
    (KIT / "runtime", "python/lambda_latency/runtime"),
    (KIT / "bridge", "python/lambda_latency/bridge"),
    (NAMES, "python/aws_xray_sdk"),
    (NAMES, "lambda-latency/bridge/aws_xray_sdk"),
)


def layer_files() -> dict[str, Path]:
    """Each file by its path in the layer, which Lambda unpacks to /opt."""
    found = {"python/lambda_latency/__init__.py": KIT / "__init__.py", WRAPPER: KIT / "runtime" / "wrapper"}
    for folder, target in FOLDERS:
        for file in sorted(folder.rglob("*.py")):
            if folder == NAMES or not file.is_relative_to(NAMES):
                found[f"{target}/{file.relative_to(folder).as_posix()}"] = file
    return found
