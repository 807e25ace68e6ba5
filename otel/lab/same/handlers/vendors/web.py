"""Web frameworks behind API Gateway."""

import contextlib
import os

import apig_wsgi
import flask
import requests
from fastapi import FastAPI
from mangum import Mangum
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

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


LIVES = []


@FLASK.get("/parts")
def parts():
    numbers = (f"{number}{flask.request.path}" for number in range(3))
    return flask.Response(flask.stream_with_context(numbers), headers={"X-Own": "1"})


@FLASK.errorhandler(404)
def not_found(error):
    return {"error": str(error)}, 404


@FLASK.teardown_request
def torn_down(error):
    print("torn down", error, flush=True)


async def home(request):
    return JSONResponse(dict(request.query_params), background=BackgroundTask(LIVES.append, "background"))


async def numbers(request):
    async def each():
        for number in range(3):
            yield str(number)

    return StreamingResponse(each())


async def bad(request):
    raise ValueError("in an endpoint")


@contextlib.asynccontextmanager
async def life(app):
    LIVES.append("up")
    yield
    LIVES.append("down")


STARLETTE = Starlette(
    routes=[Route("/", home), Route("/numbers", numbers), Route("/bad", bad)],
    middleware=[Middleware(CORSMiddleware, allow_origins=["*"])],
    lifespan=life,
)
by_streams = apig_wsgi.make_lambda_handler(FLASK, binary_support=True)
ASGI = Mangum(STARLETTE)


def by_starlette(event, context):
    return [ASGI(event, context)["body"], LIVES]


by_flask = apig_wsgi.make_lambda_handler(FLASK)
by_fastapi = Mangum(FAST, lifespan="off")
