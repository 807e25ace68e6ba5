"""What the README and the pages of comparison and extras claim, a sentence or a row of a table each, and what holds it.

A test holds it, or a document.
"""

import re

from tests.docs.pages import Page

# By the beginning of a claim. A path alone is a document, which a program of `lab` wrote or which says how it is known.
PROOF: dict[str, tuple[str, ...]] = {
    "**Where does a slow Lambda": ("otel/tests/latency/analysis/test_categories.py", "otel/lab/planted.py"),
    "One command answers": (
        "otel/tests/system/test_demo.py::test_it_says_where_the_time_went",
        "otel/tests/trace/readers/test_formats.py::test_each_format_has_the_same_trace",
    ),
    "The same answer as a page": ("otel/tests/page/test_page.py",),
    "Without an AWS account and": (
        "otel/tests/package/test_installed.py::test_the_demo_works_in_an_empty_folder",
        "otel/tests/package/test_archives.py",
    ),
    "`make demo` runs": (
        "otel/tests/system/test_demo.py::test_it_says_where_the_time_went",
        "otel/tests/test_makefile.py",
        "tests/test_traces.py",
    ),
    "From the wheel of a release": ("docs/explanation/first-tries.md",),
    "It reads trace files": (
        "otel/tests/cli/test_recorded.py::test_the_recorded_run_has_a_verdict_and_a_page",
        "otel/tests/package/test_installed.py::test_commands_without_an_account_need_no_extra",
        "docs/newcomer.json",
    ),
    "With `pip install './lambda_latency-0.1.0-py3-none-any.whl[fetch]'`": (
        "otel/tests/fetch/test_fetch.py::test_a_choice_is_made_by_x_ray_and_said",
    ),
    "[`lambda-latency doctor`]": ("otel/tests/doctor/test_rules.py::test_a_trap_is_found_at_its_line",),
    "[`lambda-latency adopt`]": ("otel/tests/upgrade/test_upgrade.py::test_an_adopted_app_is_renewed_and_restored",),
    "Handlers stay": ("otel/tests/bridge/test_uses.py::test_a_use_makes_its_documents", "otel/lab/same/__main__.py"),
    "[`lambda-latency report --against`]": ("otel/tests/action/test_action.py", "otel/lab/diff/__main__.py"),
    "[`lambda-latency report --alarm`]": ("otel/tests/alarm/test_explain.py::test_the_last_ring_of_an_alarm",),
    "[`lambda-latency archive`]": (
        "otel/tests/archive/test_archive.py::test_what_is_added_comes_out_again",
        "otel/tests/agent/test_questions.py::test_the_answers_have_the_expected_parts",
    ),
    "With `pip install './lambda_latency-0.1.0-py3-none-any.whl[local,testing]'`": (
        "otel/tests/package/test_installed.py::test_a_project_is_written_tested_run_and_reported_on",
        "docs/newcomer.json",
    ),
    "In the folder of [any": ("otel/tests/local/app/test_app.py::test_a_rest_api_leads_to_its_function",),
    "No test of this project": ("docs/explanation/not-seen-on-aws.md",),
    "Cold starts on a laptop": ("docs/explanation/limits.md",),
    "The runtime traces Python": ("otel/tests/doctor/test_rules.py",),
    "The report reads traces": ("docs/explanation/public-traces.md",),
    "Redaction knows": ("docs/reference/redaction.md", "otel/tests/redaction/test_names.py"),
    "`demo` and `serve` run on Linux": (
        "otel/tests/system/test_setups.py::test_the_demo_runs_without_what_only_linux_has",
        "otel/tests/local/app/test_left_out.py",
    ),
    "A trace file does not": ("otel/tests/latency/test_sampling.py",),
    "[All limits]": ("docs/explanation/limits.md",),
    "Apache-2.0": ("LICENSE", "otel/tests/package/test_archives.py"),
    "[Documentation]": ("otel/tests/docs/test_links.py",),
    # The page of the comparison
    "| what it is": ("docs/explanation/architecture.md",),
    "| change in the code": ("otel/tests/bridge/test_uses.py", "otel/lab/same/__main__.py"),
    "| traces go to": ("otel/tests/runtime/delivery/test_xray_endpoint.py", "otel/tests/collector/test_tree.py"),
    "| answer": ("otel/tests/system/test_demo.py", "otel/tests/page/test_page.py", "otel/tests/action/test_action.py"),
    "| support": ("SECURITY.md",),
    "| added to ": ("docs/cost.json", "docs/cost-waits.json"),
    "The milliseconds are": ("docs/explanation/costs.md",),
    "Instructions that tracing adds": ("otel/lab/cost/repeated.py",),
    "| a ": ("docs/cost-runs.json", "docs/cost.json"),
    "The kit loses where": ("docs/cost-runs.json", "docs/cost.json"),
    "After its response": ("docs/explanation/costs.md",),
    "With `OTEL_AWS_LAMBDA_FAST_START": ("docs/cost.json",),
    "[Costs](costs.md)": ("docs/explanation/costs.md",),
    # The page of the extras
    "An extra is a name": ("docs/explanation/first-tries.md",),
    "The sizes are": ("docs/newcomer.json",),
    "| none |": ("otel/tests/package/test_installed.py::test_commands_without_an_account_need_no_extra",),
    "| `[adopt]`": ("otel/tests/adopt/test_hostile.py",),
    "| `[doctor]`": ("otel/tests/doctor/test_account.py::test_what_is_planted_is_found",),
    "| `[fetch]`": ("otel/tests/fetch/test_fetch.py",),
    "| `[archive]`": ("otel/tests/archive/test_archive.py::test_what_is_added_comes_out_again",),
    "| `[formats]`": ("otel/tests/trace/readers/test_formats.py",),
    "| `[local]`": ("otel/tests/system/test_serve.py",),
    "| `[testing]`": ("otel/tests/testing/test_project.py",),
    "On a busy machine, pip": ("docs/newcomer.json",),
    "The first `make demo`": ("docs/newcomer.json",),
}


def claims(page: Page) -> list[str]:
    """The sentences of a page's prose and the rows of its tables, without links to pictures and other languages."""
    text = re.sub(r"<picture>.*?</picture>", "", page.prose, flags=re.DOTALL)
    text = re.sub(r"^\[\w+\]: .*$", "", text, flags=re.MULTILINE)
    sentences: list[str] = []
    for block in re.split(r"\n{2,}", text):
        lines = block.strip().splitlines()
        if not lines or lines[0].startswith(("#", "[日本語]")):
            continue
        if lines[0].startswith("|"):
            sentences += lines[2:]
            continue
        for item in re.split(r"(?:^|\s)- (?=\*\*|\[?`?\w)", " ".join(line.strip() for line in lines)):
            sentences += [part for part in re.split(r"(?<=[.?])\s+(?=[A-Z`\[*])", item.strip()) if part]
    return sentences
