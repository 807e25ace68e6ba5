"""What the README claims, a sentence or a row of a table each, and what holds it: a test, or a document."""

import re

from tests.docs.pages import Page

# By the beginning of a claim. A path alone is a document, which a program of `lab` wrote or which says how it is known.
PROOF: dict[str, tuple[str, ...]] = {
    "**Where does a slow Lambda": ("otel/tests/latency/analysis/test_categories.py", "otel/lab/planted.py"),
    "One command answers": ("otel/tests/system/test_demo.py::test_it_says_where_the_time_went",),
    "You run **Python": ("otel/tests/fetch/test_fetch.py::test_a_choice_is_made_by_x_ray_and_said",),
    "You have **traces": ("otel/tests/trace/readers/test_formats.py::test_each_format_has_the_same_trace",),
    "You want a **CI gate**": ("otel/tests/action/test_action.py", "otel/tests/testing/test_project.py"),
    "On the public data set": ("docs/explanation/verdict.md", "otel/lab/judged/__main__.py"),
    "The same answer as a page": ("otel/tests/page/test_page.py",),
    "Python 3.10": ("otel/tests/package/test_archives.py", "pyproject.toml"),
    "In a clone, or from": ("docs/explanation/first-tries.md",),
    "| none |": (
        "otel/tests/package/test_installed.py::test_commands_without_an_account_need_no_extra",
        "docs/newcomer.json",
    ),
    "| `[adopt]`": ("otel/tests/adopt/test_hostile.py", "docs/newcomer.json"),
    "| `[doctor]`": ("otel/tests/doctor/test_account.py::test_what_is_planted_is_found", "docs/newcomer.json"),
    "| `[fetch]`": ("otel/tests/fetch/test_fetch.py", "docs/newcomer.json"),
    "| `[archive]`": ("otel/tests/archive/test_archive.py::test_what_is_added_comes_out_again", "docs/newcomer.json"),
    "| `[formats]`": ("otel/tests/trace/readers/test_formats.py", "docs/newcomer.json"),
    "| `[local]`": ("otel/tests/system/test_serve.py", "docs/newcomer.json"),
    "| `[testing]`": ("otel/tests/testing/test_project.py", "docs/newcomer.json"),
    "Append extras": ("docs/explanation/first-tries.md",),
    "Without an AWS account and": ("otel/tests/package/test_installed.py::test_the_demo_works_in_an_empty_folder",),
    "In a clone, two commands": ("docs/explanation/first-tries.md",),
    "`make demo` runs": (
        "otel/tests/system/test_demo.py::test_it_says_where_the_time_went",
        "otel/tests/test_makefile.py",
        "tests/test_traces.py",
    ),
    "The first demo took": ("docs/newcomer.json", "docs/explanation/first-tries.md"),
    "With the extra `local`": (
        "otel/tests/package/test_installed.py::test_a_project_is_written_tested_run_and_reported_on",
        "docs/newcomer.json",
    ),
    "`serve` keeps": ("otel/tests/system/test_serve.py::test_each_request_is_traced_and_printed_as_it_ends",),
    "In the folder of any": ("otel/tests/local/app/test_app.py::test_a_rest_api_leads_to_its_function",),
    "A page shows [requests": ("otel/tests/live/test_command.py::test_it_prints_where_to_look_and_where_to_send",),
    "With the extra `fetch`": ("otel/tests/fetch/test_fetch.py::test_a_choice_is_made_by_x_ray_and_said",),
    "Or read any trace file": ("otel/tests/docs/test_commands.py::test_every_report_that_is_shown_runs",),
    "When a CloudWatch alarm": (
        "otel/tests/alarm/test_explain.py::test_the_last_ring_of_an_alarm",
        "otel/tests/alarm/test_part.py::test_the_functions_code_is_whole",
    ),
    "[`lambda-latency archive`]": (
        "otel/tests/archive/test_archive.py::test_what_is_added_comes_out_again",
        "otel/tests/agent/test_questions.py::test_the_answers_have_the_expected_parts",
    ),
    "Before you deploy": ("otel/tests/doctor/test_rules.py::test_a_trap_is_found_at_its_line",),
    "To trace an app": ("otel/tests/upgrade/test_upgrade.py::test_an_adopted_app_is_renewed_and_restored",),
    "Handlers stay": ("otel/tests/bridge/test_uses.py::test_a_use_makes_its_documents", "otel/lab/same/__main__.py"),
    "Spans go through": ("otel/tests/collector/test_tree.py", "docs/how-to/deploy.md"),
    "The runtime, in a Lambda layer": (
        "otel/tests/runtime/delivery/test_after_response.py",
        "otel/tests/runtime/deadline/test_watch.py::test_a_timeout_names_the_running_call_and_the_line",
    ),
    "A test of the spans": ("otel/tests/testing/test_docs.py::test_the_readmes_test_passes",),
    "| what it is": ("docs/explanation/architecture.md",),
    "| change in the code": ("otel/tests/bridge/test_uses.py", "otel/lab/same/__main__.py"),
    "| traces go to": ("otel/tests/runtime/delivery/test_xray_endpoint.py", "otel/tests/collector/test_tree.py"),
    "| answer": ("otel/tests/system/test_demo.py", "otel/tests/page/test_page.py", "otel/tests/action/test_action.py"),
    "| support": ("SECURITY.md",),
    "| added to ": ("docs/cost-runs.json", "docs/cost.json"),
    "| until its response": ("docs/cost-runs.json",),
    "The last seven rows": ("docs/explanation/costs.md",),
    "The kit loses where": ("docs/cost-runs.json", "docs/cost.json"),
    "With `OTEL_AWS_LAMBDA_FAST_START": ("docs/cost.json",),
    "No test of this project": ("docs/explanation/not-seen-on-aws.md",),
    "Cold starts on a laptop": ("docs/explanation/limits.md",),
    "The runtime traces Python": ("otel/tests/doctor/test_rules.py",),
    "The report reads traces": ("docs/explanation/public-traces.md",),
    "Redaction knows": ("docs/reference/redaction.md", "otel/tests/redaction/test_names.py"),
    "The local system was": ("otel/tests/system/test_setups.py::test_the_demo_runs_without_what_only_linux_has",),
    "Node functions": ("otel/tests/local/app/test_left_out.py",),
    "A trace file does not": ("otel/tests/latency/test_sampling.py",),
    "[All limits]": ("docs/explanation/limits.md",),
    "Apache-2.0": ("LICENSE", "otel/tests/package/test_archives.py"),
    "[Documentation]": ("otel/tests/docs/test_links.py",),
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
        for item in re.split(r"(?:^|\s)- (?=\*\*|\[?[A-Z])", " ".join(line.strip() for line in lines)):
            sentences += [part for part in re.split(r"(?<=[.?])\s+(?=[A-Z`\[*])", item.strip()) if part]
    return sentences
