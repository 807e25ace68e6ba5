"""A decimal context of its own, in the main thread's context."""

import decimal

decimal.getcontext().prec = 5


def handler(event, context):
    return [str(decimal.Decimal(1) / 3), decimal.getcontext().prec]
