"""Random numbers after a seed are the same ones, with our ids between them too."""

import os
import random

import requests

random.seed(1)
FIRST = random.random()


def handler(event, context):
    requests.get(f"{os.environ['PEER']}/http/seeded", timeout=10)
    return [FIRST, random.random(), random.getrandbits(64)]
