"""Where it is called from: at most one frame more than without us, which is why only names of its own are told."""

import inspect


def handler(event, context):
    return [frame.function for frame in inspect.stack() if "/handlers/" in frame.filename]
