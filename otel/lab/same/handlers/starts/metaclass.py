"""A class whose metaclass answers."""

import os

import requests


class Answers(type):
    def __call__(cls, event, context):
        return super().__call__().answer(event)


class handler(metaclass=Answers):
    def answer(self, event):
        return requests.get(f"{os.environ['PEER']}/http/x", timeout=10).status_code
