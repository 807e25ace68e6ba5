"""Answers for assistants: an MCP server, and a report in few tokens. Names from traces are data in them."""

from lambda_latency.agent.options import AccountOptions, Options
from lambda_latency.agent.printing import brief_of, changes_for, trace_brief
from lambda_latency.agent.session import serve

__all__ = ["AccountOptions", "Options", "brief_of", "changes_for", "serve", "trace_brief"]
