"""Every link within the repository leads somewhere, and every page can be reached."""

from __future__ import annotations

import posixpath

import pytest

from tests.docs.pages import PAGES, ROOT, Page, page

EVERY = [*PAGES, Page("CHANGELOG.md"), Page("SECURITY.md"), Page("CODE_OF_CONDUCT.md")]
RELATIVE = [(one, link) for one in EVERY for link in one.links() if "://" not in link]


@pytest.mark.parametrize(("source", "link"), RELATIVE, ids=lambda one: one if isinstance(one, str) else one.path)
def test_a_relative_link_resolves(source: Page, link: str) -> None:
    """File and anchor."""
    path, _, anchor = link.partition("#")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(source.path), path)) if path else source.path
    assert (ROOT / target).exists()
    assert not anchor or anchor in Page(target).anchors()


def test_links_to_elsewhere_are_https() -> None:
    """None is fetched here."""
    assert [link for one in PAGES for link in one.links() if "://" in link and not link.startswith("https://")] == []


def test_the_index_has_every_page() -> None:
    """Each once, in the kind of its folder."""
    index = page("README.md")
    rows = {kind: links for kind, _, links in index.table("kind | for | pages")}
    folders = {"Tutorial": "tutorial", "How-to": "how-to", "Reference": "reference", "Explanation": "explanation"}
    assert set(rows) == set(folders)
    listed = [link for link in index.links() if not link.startswith("..")]
    assert sorted(listed) == sorted(one.path.removeprefix("docs/") for one in PAGES if one.path.count("/") == 2)
    for kind, folder in folders.items():
        assert rows[kind].count(f"]({folder}/") == rows[kind].count("](")


def test_the_index_calls_pages_by_their_titles() -> None:
    """The first heading of each."""
    links = page("README.md").text
    for one in PAGES:
        if one.path.count("/") == 2:
            assert f"[{one.headings()[0][1]}]({one.path.removeprefix('docs/')})" in links
