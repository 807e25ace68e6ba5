"""Web frameworks behind API Gateway."""

import os

import apig_wsgi
import flask
import requests
from fastapi import FastAPI
from mangum import Mangum

PEER = os.environ["PEER"]
FLASK = flask.Flask("shop")
FAST = FastAPI()


@FLASK.get("/orders")
def orders():
    return {"status": requests.get(f"{PEER}/http/flask", timeout=10).status_code}


@FLASK.get("/fails")
def fails():
    raise ValueError("in a view")


@FAST.get("/orders")
async def fast_orders():
    return {"fast": True}


@FAST.get("/sync")
def fast_sync():
    return {"status": requests.get(f"{PEER}/http/fastapi", timeout=10).status_code}


by_flask = apig_wsgi.make_lambda_handler(FLASK)
by_fastapi = Mangum(FAST, lifespan="off")
