"""Draws the pictures of the docs anew: the report's page (needs Chromium), and the architecture.

Usual time: 1 minute.
"""

from argparse import ArgumentParser

from lab.pictures import architecture, page

PICTURES = {"page": page.main, "architecture": architecture.main}


def main(parser: ArgumentParser) -> int:
    """All of them, or one; the greatest of their statuses."""
    parser.add_argument("--only", choices=PICTURES, help="only this one")
    only = parser.parse_args().only
    return max(draw() for name, draw in PICTURES.items() if only in (None, name))
