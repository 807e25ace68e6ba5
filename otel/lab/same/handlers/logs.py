"""Logs: every set-up writes the same lines."""

import contextlib
import io
import json
import logging
import logging.config
import sys
import traceback
import warnings

LOG = logging.getLogger("own.module")


def plain(event, context):
    LOG.warning("a warning %s", 1)
    logging.getLogger().error("an error")
    logging.info("not shown")


def printed(event, context):
    print("to stdout")
    print("to stderr", file=sys.stderr)
    sys.stdout.write("without an end")
    sys.stdout.flush()
    print()


def many_lines(event, context):
    LOG.warning("one\ntwo\n\nthree")
    print("four\nfive")


def an_exception(event, context):
    try:
        {}["missing"]
    except KeyError:
        LOG.exception("it failed")
        traceback.print_exc()


class Json(logging.Formatter):
    def format(self, record):
        known = set(logging.makeLogRecord({}).__dict__)
        more = {name: str(value) for name, value in vars(record).items() if name not in known}
        return json.dumps({"message": record.getMessage(), "level": record.levelname, **more})


def formatted(formatter):
    before = logging.getLogger().handlers[:]
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.getLogger().handlers[:] = [handler]
    LOG.warning("formatted", extra={"order": 7})
    logging.getLogger().handlers[:] = before


def own_formatter(event, context):
    """Each attribute that is not Python's own is written."""
    formatted(Json())


def basic(event, context):
    logging.basicConfig(level=logging.INFO, format="%(levelname)s:%(name)s:%(message)s")
    LOG.info("shown or not, as ever")


def forced(event, context):
    logging.basicConfig(level=logging.INFO, format="%(levelname)s:%(name)s:%(message)s", stream=sys.stdout, force=True)
    LOG.info("shown")


def configured(event, context):
    logging.config.dictConfig({
        "version": 1,
        "disable_existing_loggers": True,
        "formatters": {"f": {"format": "%(name)s|%(message)s"}},
        "handlers": {"h": {"class": "logging.StreamHandler", "formatter": "f", "stream": "ext://sys.stdout"}},
        "root": {"level": "DEBUG", "handlers": ["h"]},
    })  # fmt: skip
    logging.getLogger("new").debug("a detail")


def debug(event, context):
    """All that libraries say at the lowest level."""
    logging.getLogger().setLevel(logging.DEBUG)
    import os

    import requests

    requests.get(f"{os.environ['PEER']}/http/debug", timeout=10)
    logging.getLogger().setLevel(logging.WARNING)


def record_factory(event, context):
    before = logging.getLogRecordFactory()

    def factory(*args, **kwargs):
        record = before(*args, **kwargs)
        record.msg = f"[own] {record.msg}"
        return record

    logging.setLogRecordFactory(factory)
    LOG.warning("made")
    logging.setLogRecordFactory(before)


class Secrets(logging.Filter):
    def filter(self, record):
        record.msg = str(record.msg).replace("secret", "***")
        return "drop" not in record.msg


def filtered(event, context):
    secrets = Secrets()
    for handler in logging.getLogger().handlers:
        handler.addFilter(secrets)
    LOG.warning("a secret")
    LOG.warning("drop this")
    for handler in logging.getLogger().handlers:
        handler.removeFilter(secrets)


def attributes(event, context):
    """What a filter of the user's sees on a record."""
    seen = []

    class Look(logging.Filter):
        def filter(self, record):
            seen.append(sorted(vars(record)))
            return True

    look = Look()
    LOG.addFilter(look)
    LOG.warning("look")
    LOG.removeFilter(look)
    return seen


def broken(event, context):
    """logging's own report of a call that is wrong."""
    with contextlib.redirect_stderr(io.StringIO()) as said:
        LOG.warning("%d", "not a number")
    return "Arguments: ('not a number',)" in said.getvalue()


def warned(event, context):
    warnings.warn("deprecated here", DeprecationWarning, stacklevel=1)
    warnings.warn("for the user", UserWarning, stacklevel=1)


def by_json_logger(event, context):
    from pythonjsonlogger.json import JsonFormatter

    formatted(JsonFormatter("%(levelname)s %(message)s"))


def by_structlog_context(event, context):
    import structlog

    names = structlog.contextvars
    structlog.configure(
        processors=[names.merge_contextvars, structlog.processors.add_log_level,
                    structlog.processors.format_exc_info, structlog.processors.JSONRenderer(sort_keys=True)]
    )  # fmt: skip
    names.clear_contextvars()
    names.bind_contextvars(request=context.aws_request_id)
    structlog.get_logger().info("bound", n=1)
    try:
        1 / 0
    except ZeroDivisionError:
        structlog.get_logger().exception("failed")


def by_loguru_context(event, context):
    import sys

    from loguru import logger

    logger.remove()
    logger.add(sys.stdout, format="{level}|{message}|{extra}")
    with logger.contextualize(request=context.aws_request_id):
        logger.info("in context")


def extra(event, context):
    LOG.warning("with extra", extra={"traceId": "mine", "order": 7})


def state(event, context):
    """No logger of ours makes the user's see more."""
    root = logging.getLogger()
    handlers = [[type(one).__name__, one.level, type(one.formatter).__name__] for one in root.handlers]
    defaults = [root.level, logging.lastResort.level, logging.raiseExceptions, logging.getLogRecordFactory().__name__]
    return [handlers, defaults, LOG.propagate, LOG.isEnabledFor(logging.INFO), LOG.getEffectiveLevel()]
