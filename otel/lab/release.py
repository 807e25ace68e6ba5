"""Builds what a release publishes into dist/ and checks it: the archives, the layer, a list of the packages, digests.

The wheel and the source distribution, the kit's layer as a zip file for either architecture, and with OpenTelemetry's
packages as one for both, an SBOM (CycloneDX) of what the wheel needs, SHA256SUMS. With --tag it refuses what only an
owner can decide and has not: the placeholder of the repository's owner, a version without a date in the CHANGELOG.

Usual time: a minute.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from lab.commands import ROOT
from lab.locks import environment
from lambda_latency.adopt import write_layer
from lambda_latency.version import VERSION

DIST = ROOT / "dist"
LOCK = ROOT / "requirements" / "release.txt"
BUNDLED = ROOT / "build" / "bundled"  # the layer of `lambda-latency stack layer`
# What people read or run from the repository; docs/explanation/publishing.md tells the owner about the placeholder.
PUBLISHED = (
    "pyproject.toml",
    "README.md",
    "README.ja.md",
    "CITATION.cff",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "action.yml",
    ".pre-commit-hooks.yaml",
    "docs/**/*.md",
)
OWNERS_LIST = "docs/explanation/publishing.md"
PLACEHOLDER = re.compile(r"\bOWNER\b")
# The layer is pure Python: both files have the same content. People look for the name of their architecture.
ARCHITECTURES = ("arm64", "x86_64")
# The first instant that a zip file can have: the same tree makes the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)
LICENSE = "Apache-2.0"
# What a package that the wheel installs may be licensed under.
LICENSES = ("Apache", "BSD", "ISC", "MIT", "MPL-2.0", "Mozilla Public License 2.0", "PSF", "Python Software Foundation")


def main(parser: ArgumentParser) -> int:
    """0 if everything was built and holds."""
    parser.add_argument("--tag", metavar="vX.Y.Z", help="the tag that is released: what is not decided is refused")
    options = parser.parse_args()
    missing = list(problems(ROOT, options.tag or f"v{VERSION}"))
    print(*(f"not ready: {problem}" for problem in missing), sep="\n", file=sys.stderr)
    if missing and options.tag:
        return 1
    _run("make", "--silent", "wheel", "layer")
    write_layers()
    wheel, tools = next(DIST.glob("*.whl")), environment(ROOT / "build" / "release", LOCK, sys.executable).parent
    installed = _installed(wheel)
    _run(tools / "cyclonedx-py", "environment", "--output-reproducible", "--of", "JSON",
         "--output-file", DIST / f"lambda-latency-{VERSION}.cdx.json", installed)  # fmt: skip
    _run(tools / "twine", "check", "--strict", *DIST.glob("lambda_latency-*"))
    _run(tools / "check-wheel-contents", wheel)
    print(f"LICENSE: {_detected(tools)}")
    wrong = list(_licenses(tools, installed))
    print(*wrong or ["licenses: those of all packages are known and permissive"], sep="\n")
    vulnerable, audit = _audit(tools, installed)
    print(audit)
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(DIST.iterdir())]
    (DIST / "SHA256SUMS").write_text("".join(sums), "utf-8")
    print("".join(sums), end="")
    return 1 if wrong or vulnerable else 0


def write_layers() -> None:
    """Write the kit's layer for each architecture, and the one with OpenTelemetry's packages."""
    for architecture in ARCHITECTURES:
        write_zip(ROOT / "build" / "layer", DIST / f"lambda-latency-layer-{VERSION}-{architecture}.zip")
    shutil.rmtree(BUNDLED, ignore_errors=True)
    for runtime in write_layer(BUNDLED):
        print(f"the bundled layer has no bytecode for {runtime}", file=sys.stderr)
    write_zip(BUNDLED, DIST / f"lambda-latency-layer-{VERSION}-bundled.zip")


def problems(root: Path, tag: str) -> Iterator[str]:
    """What keeps a tree from being released under a tag, a sentence each."""
    if tag != f"v{VERSION}":
        yield f"the tag is {tag} and the version {VERSION} (otel/lambda_latency/version.py)"
    if not re.search(
        rf"^## {re.escape(VERSION)} - \d{{4}}-\d{{2}}-\d{{2}}$",
        (root / "CHANGELOG.md").read_text("utf-8"),
        re.MULTILINE,
    ):
        yield f"CHANGELOG.md has no heading `## {VERSION} - DATE`"
    for pattern in PUBLISHED:
        for path in sorted(root.glob(pattern)):
            shown = path.relative_to(root).as_posix()
            for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
                if shown != OWNERS_LIST and PLACEHOLDER.search(line):
                    yield f"{shown}:{number} has the placeholder OWNER ({OWNERS_LIST})"


def write_zip(folder: Path, path: Path) -> None:
    """Write the files of a folder into a zip file: in the order of their names, without times, with their modes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(candidate for candidate in folder.rglob("*") if candidate.is_file()):
            info = zipfile.ZipInfo(file.relative_to(folder).as_posix(), EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (0o100755 if file.stat().st_mode & 0o111 else 0o100644) << 16
            archive.writestr(info, file.read_bytes())


def _installed(wheel: Path) -> Path:
    """The interpreter of a new environment that has the wheel, and what it needs."""
    folder = ROOT / "build" / "released"
    shutil.rmtree(folder, ignore_errors=True)
    uv = Path(sys.executable).with_name("uv")
    _run(uv, "venv", "--quiet", "--python", sys.executable, folder)
    _run(uv, "pip", "install", "--quiet", "--python", folder / "bin" / "python", wheel)
    return folder / "bin" / "python"


def _site_packages(python: Path) -> Path:
    return next(python.parents[1].glob("lib/python*/site-packages"))


def _detected(tools: Path) -> str:
    """The SPDX identifier that a detector finds for the text of LICENSE. Exits if it is another than the package's."""
    program = "import sys; from identify.identify import license_id; print(license_id(sys.argv[1]))"
    command: list[str | Path] = [tools / "python", "-c", program, ROOT / "LICENSE"]
    license_name = str(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
    if license_name != LICENSE:
        raise SystemExit(f"LICENSE is recognized as {license_name}, and the package says {LICENSE}")
    return license_name


def _licenses(tools: Path, python: Path) -> Iterator[str]:
    """Each package of an environment whose license is unknown or not among `LICENSES`."""
    command: list[str | Path] = [tools / "pip-licenses", "--python", python, "--from", "mixed", "--format", "json"]
    for package in json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout):
        if not any(allowed in package["License"] for allowed in LICENSES):
            name = f"{package['Name']} {package['Version']}"
            yield f"licenses: {name} has {package['License']}: not among {', '.join(LICENSES)}"


def _audit(tools: Path, python: Path) -> tuple[bool, str]:
    """Whether a package of an environment is known to be vulnerable, and a sentence; an unknown package is none."""
    command: list[str | Path] = [
        tools / "pip-audit",
        "--path",
        _site_packages(python),
        "--format",
        "json",
        "--progress-spinner",
        "off",
    ]
    audit = subprocess.run(command, check=False, capture_output=True, text=True)
    try:
        packages = json.loads(audit.stdout)["dependencies"]
    except (ValueError, KeyError):
        return False, f"pip-audit: its database did not answer: {audit.stderr.strip()[-200:]}"
    skipped = [package["skip_reason"] for package in packages if "skip_reason" in package]
    if len(skipped) == len(packages):
        return False, f"pip-audit: its database answered for none of {len(packages)} packages: {skipped[0]}"
    vulnerable = [f"{package['name']} {package['version']}" for package in packages if package.get("vulns")]
    said = f"vulnerable: {', '.join(vulnerable)}" if vulnerable else "no known vulnerability"
    return bool(
        vulnerable
    ), f"pip-audit: {said}; its database has {len(packages) - len(skipped)} of {len(packages)} packages"


def _run(*command: str | Path) -> None:
    subprocess.run(command, cwd=ROOT, check=True)
