"""The sentences that `make prove` looks at are those that the documentation lists."""

import re

from lab.prove.sentences import SENTENCES
from tests.docs.pages import page


def test_every_sentence_that_was_not_seen_on_aws_has_its_check() -> None:
    """In the order of the page; each check is another one."""
    text = page("explanation/not-seen-on-aws.md").text
    listed = [" ".join(row.split()).rstrip(";.") for row in re.findall(r"^- (.*(?:\n  .*)*)", text, re.MULTILINE)]
    assert listed == [sentence.text for sentence in SENTENCES]
    assert len({sentence.check for sentence in SENTENCES}) == len(SENTENCES)
