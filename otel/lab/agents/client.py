"""Talks to a server with the protocol's own SDK, in its environment: `python client.py JOB`, a job as JSON.

Prints as JSON: the revision that was agreed on, the list of tools, and the answers of each call, made twice.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.client.stdio import StdioServerParameters


async def talk(job: dict[str, Any]) -> dict[str, Any]:
    """The answers of a job: `server` is a command, `mode` the era, `calls` are names and arguments."""
    server = StdioServerParameters(command=job["server"][0], args=job["server"][1:])
    begun = time.perf_counter()
    async with Client(server, mode=job["mode"]) as client:
        connected = time.perf_counter() - begun
        listed = await client.list_tools()
        tools = [one.model_dump(exclude_none=True, by_alias=True, mode="json") for one in listed.tools]
        answers = [[await said(client, name, given) for _ in range(2)] for name, given in job["calls"]]
        notes = await noted(client, job["large"])
        await cancelled(client, job["large"])
        after = await said(client, *job["calls"][0])
        return {
            "version": str(client.protocol_version),
            "connected": connected,
            "tools": tools,
            "answers": answers,
            "notes": notes,
            "after": after,
        }


async def said(client: Client, name: str, given: dict[str, Any]) -> list[Any]:
    """Whether a call failed, and its text."""
    answer = await client.call_tool(name, given)
    return [answer.is_error, answer.content[0].text]


async def noted(client: Client, large: str) -> int:
    """How many notes of progress a large source gets."""
    notes: list[object] = []

    async def note(*told: object) -> None:
        notes.append(told)

    await asyncio.to_thread(Path(large).touch)  # what is in memory is read again
    await client.call_tool("why_slow", {"source": Path(large).name}, progress_callback=note)
    return len(notes)


async def cancelled(client: Client, large: str) -> None:
    """Begin a call on a large source, and cancel it."""
    await asyncio.to_thread(Path(large).touch)
    call = asyncio.create_task(client.call_tool("why_slow", {"source": Path(large).name}))
    await asyncio.sleep(0.3)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)


if __name__ == "__main__":
    json.dump(asyncio.run(talk(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))), sys.stdout)
