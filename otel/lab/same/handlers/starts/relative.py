"""Uses a relative import."""

from .circular_other import answer


def handler(event, context):
    return answer()
