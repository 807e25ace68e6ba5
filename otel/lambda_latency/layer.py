"""The files of the kit's layer: the runtime, the X-Ray SDK's names on it, and the exec wrapper."""

from __future__ import annotations

from pathlib import Path

from lambda_latency.bridge.names import ALL, SDK

__all__ = ["MODULES", "WRAPPER", "bridged_modules", "layer_files"]

KIT = Path(__file__).parent
WRAPPER = "lambda-latency/wrapper"
NAME = KIT / "bridge" / SDK / "__init__.py"
# Whatever is in `python` can be imported. The X-Ray SDK's name is there twice, for a layer of Powertools that comes
# after this one has the X-Ray SDK in the same place.
SDK_FOLDERS = (f"python/{SDK}/", f"lambda-latency/bridge/{SDK}/")
# The folders of the layer that have modules of the kit, and nothing else
MODULES = ("python/lambda_latency/", *SDK_FOLDERS)


def layer_files() -> dict[str, Path]:
    """Each file by its path in the layer, which Lambda unpacks to /opt."""
    files = {"python/lambda_latency/__init__.py": KIT / "__init__.py", WRAPPER: KIT / "runtime" / "wrapper"}
    for folder in ("redaction", "runtime", "bridge"):
        for file in sorted((KIT / folder).rglob("*.py")):
            if file != NAME:
                files[f"python/lambda_latency/{file.relative_to(KIT).as_posix()}"] = file
    return files | {f"{folder}__init__.py": NAME for folder in SDK_FOLDERS}


def bridged_modules() -> set[str]:
    """The X-Ray SDK's modules that the layer provides."""
    return {SDK, *(f"{SDK}.{module}" for module in ALL)}
