"""Runs an event loop while it is imported, and keeps it."""

import asyncio

LOOP = asyncio.new_event_loop()
asyncio.set_event_loop(LOOP)


async def load():
    await asyncio.sleep(0)
    return {"loaded": True}


LOADED = LOOP.run_until_complete(load())


def handler(event, context):
    return [LOADED, asyncio.get_event_loop() is LOOP, LOOP.run_until_complete(load())]
