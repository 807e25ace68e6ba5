"""Compares all that names a layer of AWS's with the table otel/lambda_latency/layers.toml, or writes it anew.

The template's map, the snippets and tables of the docs, the pins of the locks, the versions that the
runtime's tests know, and the packages of the bundled layer. Status 1 where something differs.

Usual time: 1 second.
"""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from lab.commands import ROOT
from lambda_latency.adot import COLLECTOR, PYTHON, Release

__all__ = ["TABLE", "disagreements", "template_regions", "written"]

TEMPLATE, TABLE = ROOT / "template.yaml", ROOT / "docs" / "reference" / "layers.md"
STARTER = ROOT / "otel" / "lambda_latency" / "example" / "starter" / "template.yaml"
SNIPPETS = ROOT / "docs" / "how-to" / "adopt.md"
ARN = re.compile(rf"([a-z0-9-]+)(:\d{{12}}:layer:{PYTHON.name}:)\d+")
NEWEST = PYTHON.releases[-1]
WIDTH, WRITTEN_BY = 148, "`make lab NAME=layers` compares and writes these"


def main() -> int:
    """0 if everything agrees."""
    parser = argparse.ArgumentParser("python -m lab layers", description=__doc__)
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
    """The runtime ships alone and so has a table of its own: each release in it has to have these packages."""
    path = ROOT / "otel" / "lambda_latency" / "runtime" / "coldstart" / "__init__.py"
    spec = spec_from_file_location("coldstart", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    tested = {adot: (sdk, own) for sdk, (own, adot) in module.TESTED.items() if adot}
    for version, packages in tested.items():
        release = next((one for one in PYTHON.releases if one.version == version), None)
        if release is None or packages != _pair(release):
            yield f"{path.relative_to(ROOT)} has other packages for ADOT {version} than the table"
    for release in (one for one in PYTHON.releases if one.numbers):
        if release.packages["opentelemetry-sdk"] not in module.TESTED:
            yield f"{path.relative_to(ROOT)} does not know the packages of ADOT {release.version}"


def _pair(release: Release) -> tuple[str, str]:
    """The versions of the SDK and of the instrumentations."""
    return release.packages["opentelemetry-sdk"], release.packages["opentelemetry-instrumentation"]


def written() -> Iterator[tuple[Path, str]]:
    """The files with texts that the table makes."""
    for template in (TEMPLATE, STARTER):
        yield template, _template(template.read_text("utf-8"))
    yield SNIPPETS, ARN.sub(_newest, SNIPPETS.read_text("utf-8"))
    before, start, rest = TABLE.read_text("utf-8").partition("<!-- layers -->\n")
    _, end, after = rest.partition("<!-- end of layers -->\n")
    yield TABLE, before + start + "\n".join(_page()) + "\n" + end + after


def _newest(found: re.Match[str]) -> str:
    release = PYTHON.newest(found[1])
    return found[0] if release is None else f"{found[1]}{found[2]}{release.numbers[found[1]]}"


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
    return [region for region in PYTHON.usual_regions if region in COLLECTOR.regions]


def _page() -> Iterator[str]:
    """The table of releases, and that of numbers by region."""
    yield ""
    yield "| ADOT | published | OpenTelemetry | instrumentations | Python | MB unzipped | numbers known in | sources |"
    yield "|---|---|---|---|---|---|---|---|"
    for one in PYTHON.releases:
        pythons = f"{one.pythons[0]} to {one.pythons[-1]}" if one.pythons else "not known"
        where = "no region" if not one.numbers else f"{len(one.numbers)} regions"
        where = next(iter(one.numbers)) if len(one.numbers) == 1 else where
        addresses = filter(None, one.numbers_source.split(" and "))
        sources = [f"[packages]({one.source}) ({one.read})"]
        sources += [f"[numbers]({address}) ({one.numbers_read})" for address in addresses]
        cells = [one.version, one.published or "not known", *_pair(one), pythons, one.megabytes or "not known", where]
        yield f"| {' | '.join(map(str, [*cells, ', '.join(sources)]))} |"
    yield ""
    shown = [one for one in PYTHON.releases if one.numbers]
    yield "| region | account | " + " | ".join(f"number of {one.version}" for one in shown) + " |"
    yield "|---|---|" + "---|" * len(shown)
    for region, account in PYTHON.accounts.items():
        numbers = (str(one.numbers.get(region, "")) for one in shown)
        yield f"| {region} | {account} | " + " | ".join(numbers) + " |"
    yield ""
    names = " and ".join(f"`{COLLECTOR.name(processor)}:{COLLECTOR.number}`" for processor in ("arm64", "amd64"))
    source = f"[source]({COLLECTOR.source}), {COLLECTOR.read}"
    yield f"The collector is {names} of account {COLLECTOR.account}, published on {COLLECTOR.published} ({source})."
    yield f"It is in {len(COLLECTOR.regions)} regions: {', '.join(COLLECTOR.regions)}."
    yield ""


if __name__ == "__main__":
    sys.exit(main())
