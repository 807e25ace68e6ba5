"""Sets the process's propagator."""

import os

import requests
from opentelemetry import baggage, context as contexts, propagate
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

OWN = CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()])
propagate.set_global_textmap(OWN)


def handler(event, context):
    token = contexts.attach(baggage.set_baggage("tenant", "t1"))
    carrier = {}
    propagate.inject(carrier)
    own = {name: value for name, value in carrier.items() if name == "baggage"}
    requests.get(f"{os.environ['PEER']}/http/propagated", headers=own, timeout=10)
    contexts.detach(token)
    return [own, baggage.get_baggage("tenant", propagate.extract({"baggage": "tenant=t2"}))]
