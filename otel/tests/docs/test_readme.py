"""The README: its length, its figures, its outline, which the Japanese one shares."""

import json
import re
from typing import Any

import pytest

from lab.cost.repeated import summary
from lab.newcomer import WAYS, guesses, markdown
from tests.docs.pages import JAPANESE, README, ROOT, Page, page

VARIANTS = ("kit", "X-Ray SDK", "ADOT layer", "Powertools Tracer")
# Words of the field, each linked to the glossary at its first use.
WORDS = {"spans?": "span", "extras?": "extra", "layers?": "layer", "ADOT": "ADOT", "freeze": "freeze",
         "critical paths?": "critical path", "exec wrapper": "exec wrapper"}  # fmt: skip


@pytest.mark.parametrize("page", [README, JAPANESE], ids=lambda page: page.path)
def test_the_readme_is_short(page: object) -> None:
    """At most 90 lines."""
    assert len(page.text.splitlines()) <= 90  # type: ignore[attr-defined]


def test_the_outline_is_the_wanted_one() -> None:
    """The answer, how to get it, what else there is, what it cannot do."""
    assert README.headings() == [
        (1, "lambda-latency"),
        (2, "Demo"),
        (2, "Install"),
        (2, "Your own account"),
        (2, "Your own app on your machine"),
        (2, "Limits"),
        (2, "Licence and documentation"),
    ]


def test_the_japanese_readme_has_the_same_outline() -> None:
    """Levels of headings, and in each section the same code, links and sizes of lists and tables."""

    def outline(text: str) -> list[object]:
        sections = re.split(r"^(?=#+ )", text, flags=re.MULTILINE)[1:]
        return [
            (
                len(section.split(" ", 1)[0]),
                re.findall(r"^```.*?^```$", section, re.DOTALL | re.MULTILINE),
                sorted(re.findall(r"\]\(([^)\s]+)\)|\]\[(\w+)\]|^(\[\w+\]: \S+)$", section, re.MULTILINE)),
                len(re.findall(r"^- ", section, re.MULTILINE)),
                [row.count("|") for row in re.findall(r"^\|.*$", section, re.MULTILINE)],
            )
            for section in sections
        ]

    english = README.text.replace("[日本語](README.ja.md)", "")
    assert outline(JAPANESE.text.replace("[English](README.md)", "")) == outline(english)


def test_the_figures_of_the_comparison_are_the_measured_ones() -> None:
    """Milliseconds are those of docs/cost.json and docs/cost-waits.json. A ratio is to the X-Ray SDK of the same run:
    docs/cost-runs.json for the kit, docs/cost.json for the others.
    """
    text = page("explanation/comparison.md").text
    waits = json.loads((ROOT / "docs" / "cost-waits.json").read_text())["sampled"]
    variants = json.loads((ROOT / "docs" / "cost.json").read_text())["variants"]
    runs = summary(json.loads((ROOT / "docs" / "cost-runs.json").read_text())["runs"])

    cold_ms = [f"{variants[name]['cold_ms']['over_bare']:.1f}" for name in VARIANTS]
    wait_ms = [f"{waits[name] / 1000:.2f}" for name in VARIANTS]
    for times in (cold_ms, wait_ms):
        assert f" | {' | '.join(times)} | " in text

    def ratio(figures: Any, name: str, measure: str) -> str:
        return f"{figures[name][measure]['over_bare'] / figures['X-Ray SDK'][measure]['over_bare']:.2f}x"

    measures = {
        "a cold start": ("cold_m", "cold_instructions_m"),
        "a cold start, until its response": ("cold_until_m", None),
        "a warm request": ("warm_k", "sampled_instructions_k"),
        "a warm request, until its response": ("warm_until_k", None),
        "a request that is not recorded": ("unsampled_k", "unsampled_instructions_k"),
    }
    rows = []
    for row, (repeated, counted_once) in measures.items():
        ratios = [ratio(variants, name, counted_once) if counted_once else "\u2013" for name in VARIANTS[2:]]
        rows.append([row, ratio(runs, "kit", repeated), "1x", *ratios])
    columns = "added to | lambda-latency | X-Ray SDK | ADOT layer alone | Powertools Tracer"
    assert page("explanation/comparison.md").table(columns) == rows
    assert ratio(variants, "ADOT FAST_START", "cold_instructions_m") in text


@pytest.mark.parametrize("document", [README, page("tutorial/first-report.md")], ids=lambda document: document.path)
def test_words_of_the_field_are_explained_at_their_first_use(document: Page) -> None:
    """By a link to the glossary, which has them. A table's first column of another page is no prose."""
    rows = {word for word, _ in page("reference/glossary.md").table("word | meaning")}
    text = re.sub(r"`[^`]*`|!\[[^]]*\]|<[^>]*>", lambda match: " " * len(match[0]), document.prose)
    for pattern, word in WORDS.items():
        use = re.search(rf"\b{pattern}\b(?![^[]*\]:)", text)
        assert word in rows
        if use is not None:
            around = text[: use.start()].rpartition("[")[2] + text[use.start() :].partition(")")[0]
            assert "glossary.md" in text[use.end() :].partition(")")[0], (word, around[-80:])


def test_the_sizes_of_the_extras_are_the_measured_ones() -> None:
    """In megabytes, as `lab newcomer` has written them; an extra's is what it adds to the command alone."""
    sizes = json.loads((ROOT / "docs" / "newcomer.json").read_text())["extras_mb"]
    rows = dict(re.findall(r"^\| (?:`\[(\w+)\]`|none) \| ([\d,]+) \|", page("reference/extras.md").text, re.MULTILINE))
    for document in (README, JAPANESE):
        assert f" {sizes['']:,} MB" in document.text
    assert rows == {extra: f"{size - (sizes[''] if extra else 0):,}" for extra, size in sizes.items()}


def test_the_times_of_a_first_try_are_the_measured_ones() -> None:
    """Of the demo in a clone, what that leaves, and of pip with the extras for an app."""
    ways = json.loads((ROOT / "docs" / "newcomer.json").read_text())["ways"]
    seconds = {step["command"]: step["seconds"] for way in ways.values() for step in way["commands"]}
    (pip,) = (seconds[command] for command in seconds if command.endswith("[local,testing]'"))
    for figure in (f"{seconds['make demo']:.0f} s", f"{ways['a clone, to the demo']['mb']} MB", f"{pip:.0f} s"):
        assert figure in page("reference/extras.md").text


def test_nothing_has_to_be_guessed() -> None:
    """Each command of the four ways from nothing is in a page that a newcomer reads."""
    assert list(guesses()) == []


def test_the_page_of_first_tries_is_written_from_what_was_measured() -> None:
    """Byte for byte."""
    measured = json.loads((ROOT / "docs" / "newcomer.json").read_text())
    assert page("explanation/first-tries.md").text.partition("<!-- tables -->\n")[2] == markdown(measured)
    assert list(measured["ways"]) == list(WAYS)
