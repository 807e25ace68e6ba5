"""The environment variables of a function, as Lambda sets them, with local paths in place of Lambda's."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lambda_latency.local.errors import LocalError
from lambda_latency.local.processes import NO_ACCOUNT
from lambda_latency.local.sandbox.function import Function

KIT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts what functions execute: `file` receives the counts, and own code is below `root`. The limits of functions
    are raised, because they run 20 to 30 times as long.
    """

    file: Path
    root: Path
    limit_s: float = 600


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """The sandbox's folders and variables, and Lambda's limits.

    `task_root` replaces /var/task; `layer`, below the function's own layers, replaces /opt; `extra` are variables for
    every function.
    """

    task_root: Path
    layer: Path
    extra: Mapping[str, str] = field(default_factory=dict)
    faults: bool = False  # whether faults can be injected into handlers
    # Of one function; more requests wait for the first free one
    max_environments: int = 8
    starts_at_once: int = os.cpu_count() or 1  # more concurrent starts would exceed the init limit
    init_limit_s: float = 10
    idle_limit_s: float = 300
    counts: Counts | None = None

    def local(self, value: str, layers: Sequence[Path] = ()) -> str:
        """Return a variable's value with the local folder in place of a leading /var/task or /opt.

        If several layers have a file, the last one counts, as on Lambda, which unpacks each layer over those before it.
        If no layer has the kit's wrapper, the running kit's wrapper is used.
        """
        for layer in reversed(layers):
            inside = layer / value.removeprefix("/opt/")
            if value.startswith("/opt/") and inside.exists():
                return str(inside)
        if value == "/opt/lambda-latency/wrapper":  # of the kit's layer
            return str(KIT / "runtime" / "wrapper")
        for prefix, folder in (("/var/task", self.task_root), ("/opt", self.layer)):
            if value == prefix or value.startswith(f"{prefix}/"):
                return str(folder) + value.removeprefix(prefix)
        return value

    def wrapper(self, function: Function) -> Path | None:
        """Return the function's exec wrapper, or None. Raises `LocalError` if the file is not executable."""
        named = function.environment.get("AWS_LAMBDA_EXEC_WRAPPER")
        if not named:
            return None
        path = Path(self.local(named, function.layers))
        if not os.access(path, os.X_OK):
            raise LocalError(
                f"{function.name}: AWS_LAMBDA_EXEC_WRAPPER is {named}, and {path} is not an executable file",
                "correct the variable in the template, or make the file executable",
            )
        return path


def lambda_variables(function: Function, settings: SandboxSettings) -> dict[str, str]:
    """Return all variables of a new environment, except AWS_LAMBDA_RUNTIME_API."""
    variables = {name: settings.local(value, function.layers) for name, value in function.environment.items()}
    python = function.python or Path(sys.executable)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if function.python is None:
        layers = [str(layer / "python") for layer in (*function.layers, settings.layer)]
        modules = [*layers, os.environ.get("PYTHONPATH", "")]
    else:
        # The interpreter has its own environment, without the packages of the current one
        modules = [*map(str, function.paths), str(settings.layer / "python")]
        version = function.runtime.removeprefix("python")
    handler = variables.get("LAMBDA_LATENCY_HANDLER", function.handler)  # the function's own handler, not the kit's
    commands = [str(path / "bin") for path in function.paths if (path / "bin").is_dir()]
    return {
        "PATH": os.pathsep.join([str(python.parent), *commands, "/usr/local/bin:/usr/bin:/bin"]),
        "PYTHONPATH": os.pathsep.join(filter(None, modules)),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "LAMBDA_TASK_ROOT": str(settings.task_root),
        "LAMBDA_RUNTIME_DIR": str(Path(__file__).parent),
        "_HANDLER": function.handler,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{version}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": function.log_format,
        **({"AWS_LAMBDA_LOG_LEVEL": function.log_level} if function.log_format == "JSON" else {}),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{time.strftime('%Y/%m/%d')}/[$LATEST]{uuid.uuid4().hex}",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        **NO_ACCOUNT,
        "AWS_ACCESS_KEY_ID": function.name,  # by which a fault plan recognizes its calls
        "AWS_SESSION_TOKEN": "local",
        **settings.extra,
        **({"LAMBDA_LATENCY_LOCAL_FAULTS": handler} if settings.faults else {}),
        **(_counting(settings.counts, handler) if settings.counts is not None else {}),
        **{name: value for name, value in os.environ.items() if name == "LAMBDA_LATENCY_LOCAL_NETWORK"},
        **variables,
    }


def _counting(counts: Counts, handler: str) -> dict[str, str]:
    """Return the variables that count a handler, and those without which two runs of the same code differ."""
    return {
        "LAMBDA_LATENCY_LOCAL_COUNTS": os.pathsep.join((handler, str(counts.file), str(counts.root))),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
