"""`python -m lab layers`: what names a layer agrees with the table."""

from lab import layers
from lambda_latency.adopt.wording import AdoptOptions, adot_numbers


def test_template_docs_locks_and_runtime_agree_with_the_table() -> None:
    """`python -m lab layers --write` makes those that are written."""
    assert list(layers.disagreements()) == []


def test_adopt_reads_the_table() -> None:
    """Numbers are of one release, also for several regions."""
    assert adot_numbers(AdoptOptions(regions=("eu-west-1",))) == {"eu-west-1": 26}
    assert adot_numbers(AdoptOptions(regions=("ap-southeast-1",))) == {"ap-southeast-1": 28}
    both = AdoptOptions(regions=("ap-southeast-1", "us-east-1"))
    assert adot_numbers(both) == {"ap-southeast-1": 25, "us-east-1": 29}
