"""The tools that read an account: nothing is fetched before its price is confirmed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.agent.answers import account
from lambda_latency.agent.budget import tokens
from lambda_latency.agent.loading import Loader, ToolCall
from lambda_latency.agent.roots import Roots
from lambda_latency.agent.tools import ACCOUNT_TOOLS, TOOLS, AccountOptions, RefusedError, checked, definitions
from lambda_latency.alarm import read_event
from lambda_latency.latency import AnalysisOptions
from lambda_latency.text import instant_of
from tests.agent.asking import request, served
from tests.alarm.test_answer import BEFORE_S, BEGIN_S, rung, slow_provider
from tests.fetch.standin import KNOWN, XRay

EVERY = {**TOOLS, **ACCOUNT_TOOLS}
GIVEN = {"since": instant_of(BEFORE_S * 10**9), "until": instant_of((BEGIN_S + 600) * 10**9)}


@pytest.fixture
def xray(monkeypatch: pytest.MonkeyPatch) -> Iterator[XRay]:
    """An account in which one order in six waits for the provider; the time is soon after."""
    for name, value in {"AWS_ACCESS_KEY_ID": KNOWN, "AWS_SECRET_ACCESS_KEY": "secret", "NO_PROXY": "*",
                        "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("time.time_ns", lambda: (BEGIN_S + 900) * 10**9)
    provider = slow_provider()
    monkeypatch.setenv("AWS_ENDPOINT_URL", provider.url)
    yield provider
    provider.close()


@pytest.fixture
def ask(xray: XRay, tmp_path: Path) -> Any:
    """Calls a tool on the account."""
    options = AccountOptions(None, None, 0.1)
    loader = Loader(Roots([tmp_path]), AnalysisOptions(), account=options)

    def ask(tool: str, arguments: dict[str, Any], call: ToolCall = ToolCall()) -> str:  # noqa: B008 - immutable
        return EVERY[tool].function()(loader, call, **checked(EVERY, tool, arguments))

    ask.options = options  # type: ignore[attr-defined]
    return ask


def test_the_first_call_tells_the_price_and_fetches_nothing(ask: Any, xray: XRay) -> None:
    """The second one, with a price below it, too."""
    for arguments in (GIVEN, {**GIVEN, "confirm_usd": 0.0000001}):
        price, second = ask("fetch_traces", arguments).splitlines()
        assert price.startswith("Nothing was fetched. AWS would charge about $0.00")
        assert second.startswith("Ask the user, then call again with confirm_usd=0.00")
    assert not [name for name in xray.calls if name.startswith("Batch")]


def test_fetched_traces_are_a_source(ask: Any) -> None:
    """The command of the verdict fetches them again."""
    answer = ask("fetch_traces", {**GIVEN, "confirm_usd": 0.05})
    source = answer.splitlines()[0].removeprefix("source: ")
    assert source == "fetched-1.jsonl"
    text = ask("why_slow", {"source": source})
    assert 'the code of "payments"' in text
    fetch = f"lambda-latency fetch --since {GIVEN['since']} --until {GIVEN['until']} --max 1000 --out -"
    assert f"All numbers above: {fetch} | lambda-latency report -\n" in text
    assert ask("why_slow", {"source": source, "route": "POST /orders"})


def test_more_than_the_limit_is_refused(ask: Any) -> None:
    """Whatever is confirmed."""
    ask.options.most_usd = 0.0000001
    with pytest.raises(RefusedError, match=r"above the limit of \$0\.00 a call"):
        ask("fetch_traces", {**GIVEN, "confirm_usd": 5})


def test_an_alarm_is_explained(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its price was confirmed: the verdict on its window, and the comparison with the hour before."""
    alarm = read_event(rung())
    monkeypatch.setattr(account, "last_ring", lambda *_: alarm)
    assert ask("explain_alarm", {"alarm": "shop-SlowAlarm"}).startswith("Nothing was fetched.")
    text = ask("explain_alarm", {"alarm": "shop-SlowAlarm", "confirm_usd": 0.05})
    head, second, *_ = text.splitlines()
    assert head.startswith('alarm "shop-SlowAlarm", ')
    assert second.startswith("Slower than the baseline")
    assert '"payments"' in text
    assert "lambda-latency report --alarm shop-SlowAlarm --until " in text


def test_without_the_option_there_is_no_such_tool(tmp_path: Path) -> None:
    """With it there is, and the list stays small."""
    call = request(1, "tools/call", name="fetch_traces", arguments={})
    [refused] = served(tmp_path, call)
    assert refused["result"]["content"][0]["text"].startswith("there is no tool 'fetch_traces'")
    [listed] = served(tmp_path, request(1, "tools/list"), options=("--account",))
    assert [tool["name"] for tool in listed["result"]["tools"]] == list(EVERY)
    assert tokens(json.dumps(definitions(EVERY), separators=(",", ":"))) <= 2_000
