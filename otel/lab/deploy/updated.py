"""A stack of an earlier commit's template, updated to today's: its table, its API's address and its orders stay."""

import subprocess
from functools import partial
from pathlib import Path

from lab.commands import ROOT
from lab.deploy.bed import Bed, expect, run, step
from lab.deploy.example import BUILD, CALLS
from lab.deploy.translation import translate

STACK = "updated"
# What an owner has addresses, data and permissions of; an API's deployment and a layer's version are new each time.
STAYING = ("Api", "OrdersTable", *(f"{function}{kind}" for kind in ("", "Log", "Role")
           for function in ("CreateOrder", "GetOrder", "ListOrders", "CancelOrder")))  # fmt: skip


def main(commit: str) -> int:
    """Run it for the template of a commit; 0 if every step went as it should."""
    return run(partial(_update, commit), "Deployed, updated, used and deleted")


def _update(commit: str, bed: Bed) -> None:
    cloud, payments = bed.cloud, f"PaymentsUrl={bed.payments}"
    with step(f"sam build of {commit}"):
        earlier = _checked_out(commit, bed.folder / "earlier")
        cloud.sam("build", "--template", str(earlier / "template.yaml"), "--build-dir", str(bed.folder / "built"))
    with step(f"sam deploy of {commit}"):
        cloud.deploy(STACK, translate(bed.folder / "built" / "template.yaml", bed.spans), payments)
    url = cloud.outputs(STACK)["ApiUrl"]
    physical_before = {logical: physical for logical, _, physical in cloud.made(STACK) if logical in STAYING}
    expect("resources that an owner has", sorted(physical_before), sorted(STAYING))
    (method, path, body, status, *_), (_, read, _, read_status, _, spans_of) = CALLS[:2]
    expect(f"{method} {path}", cloud.call(url, method, path, body)[0], status)
    with step("sam build"):
        cloud.sam("build", "--build-dir", str(BUILD))
    with step("sam deploy over it"):
        cloud.deploy(STACK, translate(BUILD / "template.yaml", bed.spans), payments)
    physical_after = {logical: physical for logical, _, physical in cloud.made(STACK) if logical in STAYING}
    expect("physical ids", physical_after, physical_before)
    expect("the API's address", cloud.outputs(STACK)["ApiUrl"], url)
    earlier_ids = bed.trace_ids()
    expect("the order of before", cloud.call(url, "GET", read)[0], read_status)
    expect("its trace", bed.new_trace(earlier_ids, spans_of), spans_of)
    with step("delete"):
        cloud.delete(STACK)


def _checked_out(commit: str, folder: Path) -> Path:
    """The files of a commit, with this checkout's environment and packages."""
    folder.mkdir()
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "--extract"], cwd=folder, input=packed, check=True)
    for name in (".venv", "build"):
        (folder / name).symlink_to(ROOT / name)
    return folder
