"""Every link within the repository leads somewhere, and every page can be reached."""

import ast
import json
import posixpath
import re
from collections.abc import Iterator

import pytest
import tomlkit

from lab.cost.repeated import summary
from lambda_latency.documentation import SOURCE
from tests.docs.claims import PROOF, claims
from tests.docs.pages import PAGES, README, ROOT, Page, page

EVERY = [*PAGES, Page("CHANGELOG.md"), Page("SECURITY.md"), Page("CODE_OF_CONDUCT.md")]
RELATIVE = [(source, link) for source in EVERY for link in source.links() if "://" not in link]


@pytest.mark.parametrize(("source", "link"), RELATIVE, ids=lambda part: part if isinstance(part, str) else part.path)
def test_a_relative_link_resolves(source: Page, link: str) -> None:
    """File and anchor."""
    path, _, anchor = link.partition("#")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(source.path), path)) if path else source.path
    assert (ROOT / target).exists()
    assert not anchor or anchor in Page(target).anchors()


def texts() -> Iterator[str]:
    """The texts of the package: the strings of its code, but docstrings of modules, and its other files."""
    for file in sorted((ROOT / "otel" / "lambda_latency").rglob("*")):
        if file.suffix in (".json", ".md", ".toml", ".txt", ".yaml"):
            yield file.read_text("utf-8")
        elif file.suffix == ".py":
            tree = ast.parse(file.read_bytes())
            about = ast.get_docstring(tree, clean=False)
            yield from (
                node.value
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value != about
            )


def test_an_installed_kit_names_pages_by_their_addresses() -> None:
    """It has none of the files."""
    assert [path for text in texts() for path in re.findall(r"(?<![\w/.])docs/[\w/-]+\.md", text)] == []


def test_the_addresses_are_those_of_pages() -> None:
    """In the project's repository, as the package's index page names it."""
    code = "".join(file.read_text("utf-8") for file in (ROOT / "otel" / "lambda_latency").rglob("*.py"))
    names = set(re.findall(r"page_address\(['\"]([\w/-]+)", code))
    assert names <= {target.path.removeprefix("docs/").removesuffix(".md") for target in PAGES}
    assert len(names) > 5
    project = tomlkit.parse((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["urls"]["Source"] == SOURCE


def test_links_to_elsewhere_are_https() -> None:
    """None is fetched here."""
    assert [link for p in PAGES for link in p.links() if "://" in link and not link.startswith("https://")] == []


def test_the_index_has_every_page() -> None:
    """Each once, in the kind of its folder."""
    index = page("README.md")
    rows = {kind: links for kind, _, links in index.table("kind | for | pages")}
    folders = {"Tutorial": "tutorial", "How-to": "how-to", "Reference": "reference", "Explanation": "explanation"}
    assert set(rows) == set(folders)
    listed = [link for link in index.links() if not link.startswith("..")]
    assert sorted(listed) == sorted(p.path.removeprefix("docs/") for p in PAGES if p.path.count("/") == 2)
    for kind, folder in folders.items():
        assert rows[kind].count(f"]({folder}/") == rows[kind].count("](")


def test_the_index_calls_pages_by_their_titles() -> None:
    """The first heading of each."""
    links = page("README.md").text
    for target in PAGES:
        if target.path.count("/") == 2:
            assert f"[{target.headings()[0][1]}]({target.path.removeprefix('docs/')})" in links


def test_every_claim_has_its_proof_and_no_proof_is_left_over() -> None:
    """By the beginning of the sentence or of the row, in otel/tests/docs/claims.py."""
    pages = (README, page("explanation/comparison.md"), page("reference/extras.md"))
    used = {
        claim: [start for start in PROOF if claim.startswith(start)] for document in pages for claim in claims(document)
    }
    assert [claim for claim, starts in used.items() if not starts] == []
    assert set(PROOF) - {start for starts in used.values() for start in starts} == set()


@pytest.mark.parametrize("proof", sorted({proof for proofs in PROOF.values() for proof in proofs}))
def test_a_proof_exists(proof: str) -> None:
    """A file with a test of this name, a file of tests, a program or a document."""
    path, _, name = proof.partition("::")
    assert (ROOT / path).is_file()
    assert not name or re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(), re.MULTILINE)


def test_what_the_kit_loses_is_what_was_measured() -> None:
    """The sentence below the comparison: a cold start and a warm request as a whole, the client's wait, and no more."""
    runs = summary(json.loads((ROOT / "docs" / "cost-runs.json").read_text())["runs"])
    variants = json.loads((ROOT / "docs" / "cost.json").read_text())["variants"]
    measured = ("cold_m", "cold_until_m", "warm_k", "warm_until_k", "unsampled_k")
    lost = [its for its in measured if runs["kit"][its]["over_bare"] > runs["X-Ray SDK"][its]["over_bare"]]
    times = ("cold_ms", "sampled_response_us")
    lost += [its for its in times if variants["kit"][its]["over_bare"] > variants["X-Ray SDK"][its]["over_bare"]]
    assert lost == ["cold_m", "warm_k", "sampled_response_us"]
    sentence = "The kit loses where a cold start or a warm request is counted whole, and in the client's wait."
    assert sentence in page("explanation/comparison.md").text
