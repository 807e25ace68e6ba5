"""The kit under AWS's Runtime Interface Emulator, which is AWS's own Runtime and Extensions API.

Status 1 where anything is wrong. Managed Instances mode needs root and mount namespaces: without them it is skipped and
says so, and in CI (variable CI) that is a failure.

Usual time: 2 minutes.
"""

import os
import re
import shutil
import subprocess
import sys
from argparse import ArgumentParser

from lab.commands import make
from lab.rie.emulator import EMULATOR
from lab.rie.managed import MANAGED
from lab.rie.scenarios import CLASSIC
from lab.rie.scene import EmulatorScene, Scenario

GO = "1.26.6"


def main(parser: ArgumentParser) -> int:
    """Run the scenarios, a line for each."""
    parser.add_argument("only", nargs="*", help="scenarios; all unless given")
    only = parser.parse_args().only
    if not is_go_here():
        return skipped(
            f"AWS's Runtime Interface Emulator is built from Go modules by Go {GO} or later (https://go.dev/dl)."
        )
    make(EMULATOR)
    print("AWS's Runtime Interface Emulator: no freeze, and its caller waits for the extension; times say nothing here")
    wrong = sum(fails(name, scenario) for name, scenario in CLASSIC.items() if not only or name in only)
    if not (shutil.which("unshare") and mounts()):
        return max(int(bool(wrong)), skipped("Managed Instances mode needs root and mount namespaces"))
    wrong += sum(
        fails(f"managed instances, {name}", scenario) for name, scenario in MANAGED.items() if not only or name in only
    )
    return int(bool(wrong))


def is_go_here() -> bool:
    """Whether the Go on the PATH is new enough."""
    if shutil.which("go") is None:
        return False
    output = subprocess.run(["go", "env", "GOVERSION"], check=False, capture_output=True, text=True).stdout
    version = re.match(r"go(\d+(?:\.\d+)*)", output)
    return version is not None and tuple(map(int, version[1].split("."))) >= tuple(map(int, GO.split(".")))


def mounts() -> bool:
    """Whether this user may have a mount namespace."""
    return subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode == 0


def skipped(why: str) -> int:
    """Say so. 1 in CI, where nothing may be missing."""
    print(f"skipped: {why}", file=sys.stderr)
    return int(bool(os.environ.get("CI")))


def fails(name: str, scenario: Scenario) -> bool:
    """Whether it went wrong; a line that says so, and one for each thing that is wrong."""
    scene = EmulatorScene()
    try:
        scenario(scene)
    except Exception as error:  # noqa: BLE001 - told, and the others go on
        scene.report.wrong.append(f"{type(error).__name__}: {error}")
    finally:
        scene.close()
    report = scene.report
    print(f"{name:<36} {'WRONG' if report.wrong else 'ok':<6} {', '.join(report.facts)}")
    for line in report.wrong:
        print(f"    {line[:400]}", flush=True)
    return bool(report.wrong)
