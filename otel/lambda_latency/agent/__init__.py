"""Answers for assistants: an MCP server, and a report in few tokens. Names from traces are data in them."""

from lambda_latency.agent.printing import brief_of, trace_brief
from lambda_latency.agent.session import serve
from lambda_latency.agent.tools import AccountOptions, Options

__all__ = ["AccountOptions", "Options", "brief_of", "serve", "trace_brief"]
