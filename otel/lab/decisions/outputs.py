"""The outputs of a report with a baseline and gates, and in which of them the decision differs."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from lab.judging.answer import gate
from lambda_latency.latency import DEFAULT_OPTIONS, Breakdowns, against, read_gate, report_of
from lambda_latency.page import build_page, page_values
from lambda_latency.text import Style, document, first_sentence, flat, render_markdown, render_report

HEADS = {
    "slower": ("Slower than the baseline",),
    "faster": ("Faster than the baseline",),
    "shape": ("Other calls than the baseline",),
    "unsure": ("Unsure (",),
    "disturbed": ("Disturbed (",),
    "few": ("Too few requests to compare",),
    "same": ("No difference from", "Little difference from", "Times do not differ from"),
}
STANDINGS = {
    "new": ", new since the baseline",
    "grown": ", more often than in the baseline",
    "known": ", also in the baseline",
    "unproven": ", not seen in the baseline, which may be chance",
}
UNDECIDED = ("unsure", "disturbed")
STATUSES = {"unsure": 5, "few": 5, "disturbed": 6}
FAILED = 3
MORE = re.compile(r"take (?:[\d,.]+) % more|takes [\d,.]+ % more")


class Outputs(NamedTuple):
    """What a report says, as text, Markdown and JSON; `page` has the sentences of its cards, `title` its first line."""

    text: str
    markdown: str
    values: dict[str, Any]
    page: list[str]
    title: str


def outputs(current: Breakdowns, baseline: Breakdowns, condition: str) -> Outputs:
    """Return all outputs of the report on requests with a baseline and a condition."""
    owners = DEFAULT_OPTIONS.owners.settle(current, baseline)
    compared = against(current, baseline, ["old.json"])
    report = report_of(current, lambda _: {}, against=compared, owners=owners, baseline=baseline)
    judged = [read_gate(condition).judge(report)]
    page, _ = page_values(report, lambda _: {}, command="", version="", judged=judged)
    made = build_page(page, [], flat(first_sentence(report, Style())))
    title = re.search(r'<p class="sentence">([^<]*)', made)
    return Outputs(
        text=" ".join(render_report(report, Style(unicode=False)).split()),
        markdown=re.sub(r"\\(.)|\*\*|<!-- -->", r"\1", render_markdown(report, judged)),
        values=document(report, command="", version="", judged=judged),
        page=["".join(piece["text"] for piece in card.get("pieces", ())) for card in _cards(page)],
        title=html.unescape(title[1]) if title is not None else "",
    )


def _cards(page: dict[str, Any]) -> list[dict[str, Any]]:
    cards: list[dict[str, Any]] = json.loads(json.dumps(page))["findings"]
    return cards


def contradictions(said: Outputs) -> list[str]:
    """Return in which outputs the decision is another one; empty if they agree."""
    return [*_sentences(said), *_percentages(said), *_statuses(said), *_groups(said), *_texts(said)]


def _sentences(said: Outputs) -> Iterator[str]:
    """The sentence is the same everywhere, and begins as the answer does."""
    comparison = said.values["against"]
    sentence = comparison["sentence"]
    if not sentence.startswith(HEADS[comparison["answer"]]):
        yield f"{comparison['answer']}, but: {sentence}"
    changes = [text for text in said.page if text.startswith(sentence[:12])]
    plain = {
        "text": said.text[: len(sentence) + 8],
        "Markdown": said.markdown.partition("\n")[0],
        "page": _plain(changes[0]) if changes else "",
        "title": said.title,
    }
    for name, text in plain.items():
        if _plain(sentence)[:60] not in _plain(text):
            yield f"{name}: {text!r}, JSON: {sentence!r}"


def _plain(text: str) -> str:
    return " ".join(text.replace("\u202f", " ").replace("...", "").split())


def _percentages(said: Outputs) -> Iterator[str]:
    """The gate compares the decision's percentage, and the sentence says it."""
    comparison, [condition] = said.values["against"], said.values["gates"]
    decision, sentence = comparison["decision"], comparison["sentence"]
    if decision["answer"] != comparison["answer"] or comparison["slower_percent"] != decision["percent"]:
        yield "JSON: two decisions"
    if decision["percent"] > 0 and f"{_digits(decision['percent'])} % more" not in _plain(sentence):
        yield f"{decision['percent']} % is not in the sentence: {sentence}"
    if decision["answer"] == "slower" and decision["percent"] <= 0:
        yield f"slower by {decision['percent']} %"
    if condition["sentence"] not in _plain(said.markdown):
        yield f"Markdown lacks: {condition['sentence']}"


def _statuses(said: Outputs) -> Iterator[str]:
    """The gate's status follows the decision."""
    comparison, [condition] = said.values["against"], said.values["gates"]
    decision, status = comparison["decision"], gate(said.values).status
    if status in (0, FAILED) and round(condition["value"], 3) != decision["percent"]:
        yield f"gate: {condition['value']}, decision: {decision['percent']}"
    if status != STATUSES.get(decision["answer"], status):
        yield f"{decision['answer']} with status {status}"
    if status == FAILED and comparison["sentence"].startswith("No difference"):
        yield f"status {FAILED}: {comparison['sentence']}"


def _digits(percent: float) -> str:
    return f"{percent:,.0f}" if percent >= 100 else f"{percent:.3g}"


def _groups(said: Outputs) -> Iterator[str]:
    """What JSON has of groups of slow requests follows the answer."""
    comparison = said.values["against"]
    answer = comparison["answer"]
    slower = {(edge["bucket"], edge["name"]) for edge in comparison["buckets"] if edge["change"] == "slower"}
    for group in said.values["classes"]:
        if STANDINGS[group["baseline"]] not in group["sentence"]:
            yield f"{group['baseline']}, but: {group['sentence']}"
        is_slower = answer == "slower" and (group["bucket"], group["name"]) in slower
        if group["baseline"] in ("new", "grown") and not is_slower:
            yield f"{answer}, but {group['baseline']}: {group['sentence']}"
        if answer in UNDECIDED and (group["confidence"] == "high" or group["next"]):
            yield f"{answer}, but {group['confidence']} confidence and: {group['next']}"


def _texts(said: Outputs) -> Iterator[str]:
    """No text says of groups what the answer does not."""
    answer = said.values["against"]["answer"]
    forbidden = [] if answer == "slower" else [STANDINGS["new"], STANDINGS["grown"]]
    if answer in UNDECIDED and said.values["classes"]:
        forbidden += ["High confidence", "Next: Profile"]
    if answer in ("slower", "shape", *UNDECIDED):
        forbidden.append("Nothing stands out")
    for text in (said.text, said.markdown, " ".join(said.page)):
        yield from (f"{answer}, but a text has {words!r}" for words in forbidden if words in text)
