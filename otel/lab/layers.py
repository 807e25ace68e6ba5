"""Compares all that names a layer of AWS's with the table otel/lambda_latency/layers.toml, or writes it anew.

The template's map, the snippets and tables of the docs, the pins of the locks, the versions that the
runtime's tests know, and the packages of the bundled layer. Status 1 where something differs.

Usual time: 1 second.
"""

import re
import textwrap
from argparse import ArgumentParser
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from lab.commands import ROOT
from lab.locks import whole
from lambda_latency.adot import COLLECTOR, PYTHON, Release

TEMPLATE, TABLE = ROOT / "template.yaml", ROOT / "docs" / "reference" / "layers.md"
LOCKS = ROOT / "requirements" / "versions"
STARTER = ROOT / "otel" / "lambda_latency" / "example" / "starter" / "template.yaml"
SNIPPETS = ROOT / "docs" / "how-to" / "adopt.md"
ARN = re.compile(rf"([a-z0-9-]+)(:\d{{12}}:layer:{PYTHON.name}:)\d+")
NEWEST = PYTHON.releases[-1]
WIDTH, WRITTEN_BY = 148, "`make lab NAME=layers` compares and writes these"


def main(parser: ArgumentParser) -> int:
    """0 if everything agrees."""
    parser.add_argument("--write", action="store_true", help="write template and docs anew from the table")
    if parser.parse_args().write:
        for path, text in written():
            path.write_text(text, "utf-8")
    wrong = list(disagreements())
    print(*wrong or ["template, docs, locks and runtime agree with the table"], sep="\n")
    return 1 if wrong else 0


def disagreements() -> Iterator[str]:
    """What differs from the table: one line each."""
    for path, text in written():
        if path.read_text("utf-8") != text:
            yield f"{path.relative_to(ROOT)} differs: python -m lab layers --write"
    for path in sorted([*ROOT.glob("requirements/**/*.in"), *ROOT.glob("requirements/**/*.txt"),
                        *ROOT.glob("otel/lab/cost/pins/*.*")]):  # fmt: skip
        for pin in re.findall(r"^aws-opentelemetry-distro==([^\s\\]+)", path.read_text("utf-8"), re.MULTILINE):
            if pin != NEWEST.version:
                yield f"{path.relative_to(ROOT)} pins ADOT {pin}, the newest of the table is {NEWEST.version}"
    bundled = ROOT / "otel" / "lambda_latency" / "adopt" / "packages.txt"
    for name, version in re.findall(r"^([a-z0-9-]+)==([^\s\\]+)", bundled.read_text("utf-8"), re.MULTILINE):
        if NEWEST.packages.get(name, version) != version:
            yield f"{bundled.relative_to(ROOT)} has {name} {version}, ADOT {NEWEST.version} {NEWEST.packages[name]}"
    yield from _of_the_runtime()


def _of_the_runtime() -> Iterator[str]:
    """The runtime ships alone and so has a table of its own: the versions of the locks, each release's among them."""
    path = ROOT / "otel" / "lambda_latency" / "runtime" / "coldstart" / "__init__.py"
    spec = spec_from_file_location("coldstart", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    pins = re.compile(r"^opentelemetry-(sdk|instrumentation)==(\S+)", re.MULTILINE)
    locks = [dict(pins.findall(whole(lock))) for lock in LOCKS.glob("[0-9]*.txt")]
    locked, table = {(pinned["sdk"], pinned["instrumentation"]) for pinned in locks}, set(module.TESTED.items())
    for sdk, instrumentations in sorted(locked ^ table):
        where = "lacks" if (sdk, instrumentations) in locked else "has, unlike requirements/versions,"
        yield f"{path.relative_to(ROOT)} {where} SDK {sdk} with instrumentations {instrumentations}"
    for release in PYTHON.releases:
        if release.numbers and _pair(release) not in table:
            yield f"{path.relative_to(ROOT)} does not know the packages of ADOT {release.version}"


def _pair(release: Release) -> tuple[str, str]:
    """The versions of the SDK and of the instrumentations."""
    return release.packages["opentelemetry-sdk"], release.packages["opentelemetry-instrumentation"]


def written() -> Iterator[tuple[Path, str]]:
    """The files with texts that the table makes."""
    for template in (TEMPLATE, STARTER):
        yield template, _template(template.read_text("utf-8"))
    yield SNIPPETS, ARN.sub(_newest, SNIPPETS.read_text("utf-8"))
    head, start, tail = TABLE.read_text("utf-8").partition("<!-- layers -->\n")
    _, end, end_of_page = tail.partition("<!-- end of layers -->\n")
    yield TABLE, head + start + "\n".join(_page()) + "\n" + end + end_of_page


def _newest(match: re.Match[str]) -> str:
    release = PYTHON.newest(match[1])
    return match[0] if release is None else f"{match[1]}{match[2]}{release.numbers[match[1]]}"


def _template(text: str) -> str:
    """The template with its map of numbers: the newest release that is known in all of the map's regions."""
    regions = template_regions()
    release = PYTHON.shared(regions)
    assert release is not None
    numbers = ", ".join(f'{region}:~{{~Number:~"{release.numbers[region]}"~}}' for region in regions)
    filled = textwrap.fill(numbers, WIDTH, initial_indent="    { ", subsequent_indent="      ", break_on_hyphens=False)
    author = f": {WRITTEN_BY}" if WRITTEN_BY in text else ""  # the starter is for projects that have no laboratory
    entry = f"  AdotPython:  # ADOT {release.version}, which has another number in some regions{author}\n"
    return re.sub(r"  AdotPython:.*\n(?:    .*\n)+", lambda _: f"{entry}{filled.replace('~', ' ')} }}\n", text)


def template_regions() -> list[str]:
    """The regions of the template's map: those that every account has and that have both of its layers."""
    return [region for region in PYTHON.default_regions if region in COLLECTOR.regions]


def _page() -> Iterator[str]:
    """The table of releases, and that of numbers by region."""
    yield ""
    yield "| ADOT | published | OpenTelemetry | instrumentations | Python | MB unzipped | numbers known in | sources |"
    yield "|---|---|---|---|---|---|---|---|"
    yield from map(_row, PYTHON.releases)
    yield ""
    shown = [release for release in PYTHON.releases if release.numbers]
    yield "| region | account | " + " | ".join(f"number of {release.version}" for release in shown) + " |"
    yield "|---|---|" + "---|" * len(shown)
    for region, account in PYTHON.accounts.items():
        numbers = (str(release.numbers.get(region, "")) for release in shown)
        yield f"| {region} | {account} | " + " | ".join(numbers) + " |"
    yield ""
    names = " and ".join(f"`{COLLECTOR.name(processor)}:{COLLECTOR.number}`" for processor in ("arm64", "amd64"))
    source = f"[source]({COLLECTOR.source}), {COLLECTOR.read}"
    yield f"The collector is {names} of account {COLLECTOR.account}, published on {COLLECTOR.published} ({source})."
    yield f"It is in {len(COLLECTOR.regions)} regions: {', '.join(COLLECTOR.regions)}."
    yield ""


def _row(release: Release) -> str:
    pythons = f"{release.pythons[0]} to {release.pythons[-1]}" if release.pythons else "not known"
    where = f"{len(release.numbers)} regions" if release.numbers else "no region"
    where = next(iter(release.numbers)) if len(release.numbers) == 1 else where
    addresses = filter(None, release.numbers_source.split(" and "))
    sources = [f"[packages]({release.source}) ({release.read})"]
    sources += [f"[numbers]({address}) ({release.numbers_read})" for address in addresses]
    published, megabytes = release.published or "not known", release.megabytes or "not known"
    cells = [release.version, published, *_pair(release), pythons, megabytes, where, ", ".join(sources)]
    return f"| {' | '.join(map(str, cells))} |"
