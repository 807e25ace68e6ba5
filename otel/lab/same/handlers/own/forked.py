"""Spans in a forked child."""

import multiprocessing
import os

import requests
from opentelemetry import trace

TRACER = trace.get_tracer("user")


def work(connection):
    with TRACER.start_as_current_span("in the child"):
        connection.send(requests.get(f"{os.environ['PEER']}/http/child", timeout=10).status_code)
    connection.close()


def handler(event, context):
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=work, args=(there,))
    child.start()
    got = here.recv()
    child.join(10)
    return [got, child.exitcode]
