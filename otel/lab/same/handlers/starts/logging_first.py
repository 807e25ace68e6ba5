"""Sets its logs up while it is imported, as most do."""

import logging

root = logging.getLogger()
for handler_of_lambda in root.handlers[:]:
    root.removeHandler(handler_of_lambda)
logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(name)s %(message)s")
LOG = logging.getLogger(__name__)
LOG.info("imported")


def handler(event, context):
    import os

    import requests

    LOG.debug("called")
    requests.get(f"{os.environ['PEER']}/http/logged", timeout=10)
    return len(root.handlers)
