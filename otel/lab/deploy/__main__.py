"""The example and two adopted apps, built, deployed to an emulator of AWS, called with tracing on, and deleted.

Usual time: 2 minutes; 5 minutes with `--variants`.
"""

from argparse import ArgumentParser

from lab.deploy import adopted, example, updated, variants


def main(parser: ArgumentParser) -> int:
    """0 if every step went as it should; the second does not begin where the first fails."""
    parser.add_argument(
        "--variants",
        nargs="*",
        metavar="VARIANT",
        choices=variants.VARIANTS,
        help="instead, each variant of the example's template, or those named: " + ", ".join(variants.VARIANTS),
    )
    parser.add_argument(
        "--from", dest="commit", metavar="COMMIT", help="instead, a stack of a commit's template, updated to today's"
    )
    options = parser.parse_args()
    if options.commit is not None:
        return updated.main(options.commit)
    if options.variants is not None:
        return variants.main(options.variants)
    return example.main() or adopted.main()
