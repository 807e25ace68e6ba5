"""gevent patches while a request imports what needs it."""


def handler(event, context):
    from starts import greened_late

    return greened_late.handler(event, context)
