"""The example, adopted apps and a shared layer, built, deployed to an emulator of AWS, called and deleted.

Usual time: 3 minutes; 6 minutes with `--variants`.
"""

from argparse import ArgumentParser
from collections.abc import Sequence
from functools import partial

from lab.deploy import adopted, example, shared, variants
from lab.deploy.bed import Bed, run


def main(parser: ArgumentParser) -> int:
    """0 if every step went as it should; nothing is begun after one that did not."""
    parser.add_argument(
        "--variants",
        nargs="*",
        metavar="VARIANT",
        choices=variants.VARIANTS,
        help="then each variant of the example's template, or those named: " + ", ".join(variants.VARIANTS),
    )
    chosen: list[str] | None = parser.parse_args().variants
    names = [] if chosen is None else chosen or list(variants.VARIANTS)
    return run(partial(_deploy_all, names), "Built, deployed, used and deleted")


def _deploy_all(names: Sequence[str], bed: Bed) -> None:
    """The example first: its artifacts are those of the variants."""
    example.deploy_and_use(bed)
    adopted.deploy_each(bed)
    shared.deploy_and_upgrade(bed)
    for name in names:
        variants.deploy(bed, name)
