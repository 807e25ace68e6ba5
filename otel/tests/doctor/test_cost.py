"""What tracing costs: ten bills worked by hand, prices of one's own, and the command."""

import itertools
import json
import re
import subprocess
import sys
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.cli import main
from lambda_latency.prices import LISTED, PRICED, Origin, Usage, read_account, read_prices
from lambda_latency.prices.account import ACTIONS
from lambda_latency.prices.month import ADDED, bill, dollars, over_rates
from tests.doctor.cloud import Cloud

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[3]
ALL = Decimal(1)
NONE = Decimal(0)


def usage(requests: int, **changes: object) -> Usage:
    """A month of requests; every one is traced, none is a cold start, unless it is said."""
    values: dict[str, object] = {"rate": ALL, "reservoir": NONE, "cold": NONE, **changes}
    return Usage(Decimal(requests), **{name: _exact(value) for name, value in values.items()})  # type: ignore[arg-type]


def _exact(value: object) -> object:
    return Decimal(str(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


# Of the bills, those of other regions.
REGIONS = {
    "Milan": "eu-south-1",
    "Hong Kong": "ap-east-1",
    "Mexico": "mx-central-1",
    "Cape Town": "af-south-1",
    "Tokyo": "ap-northeast-1",
}
# X-Ray, Transaction Search, Lambda, CloudWatch. Below 1,769 MB a second of a whole processor is
# 1769 / 1024 = 1.72754 GB-s.
BILLS = {
    # 100,000 traces are free. 100,000 x 1,174.9 us = 117.49 s = 202.97 GB-s x 0.0000133334 = 0.0027
    "what is free": (usage(100_000), "0.00", "0.00", "0.00", "0.00"),
    # 900,000 x $5 / M = 4.50. 1,174.9 s = 2,029.69 GB-s = 0.0271
    "a million, all": (usage(1_000_000), "4.50", "0.00", "0.03", "0.00"),
    # 5 % of 10 M = 500,000, 400,000 x $5 / M = 2.00. 500,000 x 1,174.9 us + 9.5 M x 376 us = 4,159.45 s = 7,185.61 GB-s
    # x 0.0000133334 = 0.0958
    "a rate": (usage(10_000_000, rate=0.05), "2.00", "0.00", "0.10", "0.00"),
    # A month has 2,592,000 s: 2,592,000 + 5 % of 7,408,000 = 2,962,400; 2,862,400 x $5 / M = 14.312.
    # 2,962,400 x 1,174.9 us + 7,037,600 x 376 us = 6,126.66 s = 10,584.05 GB-s = 0.1411
    "a reservoir": (usage(10_000_000, rate=0.05, reservoir=1), "14.31", "0.00", "0.14", "0.00"),
    # The reservoir is larger than the traffic: all 1 M, as above.
    "a reservoir above the traffic": (usage(1_000_000, rate=0, reservoir=1), "4.50", "0.00", "0.03", "0.00"),
    # 10 M x 8 spans x 1,500 bytes = 120 GB x 0.35 = 42.00; 1 % is indexed for nothing. 11,749 s = 20,296.86 GB-s =
    # 0.2706
    "Transaction Search": (usage(10_000_000, transaction_search=True), "0.00", "42.00", "0.27", "0.00"),
    # 42.00, and 9 % of 80 M spans above the free share = 7.2 M x 0.75 = 5.40
    "more is indexed": (
        usage(10_000_000, transaction_search=True, indexed_percent=10), "0.00", "47.40", "0.27", "0.00"),
    # 50 M x 1,468.5 us = 73,425 s; 2 % cold = 1 M x 246.9 ms = 246,900 s; 320,325 s = 553,373.9 GB-s x 0.0000166667 =
    # 9.2229. X-Ray: 49.9 M x $5 / M = 249.50
    "the ADOT layer on x86_64": (
        usage(50_000_000, cold=0.02, tracer="adot", processor="x86_64"), "249.50", "0.00", "9.22", "0.00"),
    # Above a whole processor time does not shrink: 1 M x 513.4 us = 513.4 s x 3 GB = 1,540.2 GB-s x 0.0000166667 =
    # 0.0257
    "much memory": (
        usage(1_000_000, tracer="xray-sdk", processor="x86_64", memory_mb=3072), "4.50", "0.00", "0.03", "0.00"),
    # 26 metrics, 10 free: 1.60. 4 M traces read, 1 M free: 1.50. No request: nothing else.
    "alarms and reading": (usage(0, alarm_metrics=26, traces_read=4_000_000), "1.50", "0.00", "0.00", "1.60"),
    # The same parts in other regions.
    # 1 M x 1,174.9 us = 1,174.9 s = 2,029.69 GB-s x 0.0000195172 = 0.0396
    "Milan": (usage(1_000_000, processor="x86_64"), "4.50", "0.00", "0.04", "0.00"),
    # 50 M x 1,174.9 us = 58,745 s = 101,484.3 GB-s x 0.0000183 = 1.8572. X-Ray: 49.9 M x $5 / M = 249.50
    "Hong Kong": (usage(50_000_000), "249.50", "0.00", "1.86", "0.00"),
    # 101,484.3 GB-s x 0.000014 = 1.4208
    "Mexico": (usage(50_000_000), "249.50", "0.00", "1.42", "0.00"),
    # 101,484.3 GB-s x 0.0000221 = 2.2428; 16 metrics beyond 10, at the price of us-east-1: 1.60
    "Cape Town": (
        usage(50_000_000, processor="x86_64", alarm_metrics=26), "249.50", "0.00", "2.24", "1.60"),
    # 10 M x 8 x 1,500 bytes = 120 GB x 0.35 = 42.00; 9 % of 80 M = 7.2 M x 0.75 = 5.40. 20,296.86 GB-s x 0.0000133334 =
    # 0.2706
    "Tokyo": (usage(10_000_000, transaction_search=True, indexed_percent=10),
              "0.00", "47.40", "0.27", "0.00"),
}  # fmt: skip


@pytest.fixture
def one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """What tracing adds as the bills have it: a later run of the bench does not change them."""
    for name, figures in {
        "kit": ("11.1", "1174.9", "376.0"),
        "adot": ("246.9", "1468.5", "1343.6"),
        "xray-sdk": ("19.0", "513.4", "357.4"),
    }.items():
        monkeypatch.setitem(ADDED, name, type(ADDED[name])(*map(Decimal, figures)))


@pytest.mark.usefixtures("one_run")
@pytest.mark.parametrize("name", BILLS)
def test_a_bill_is_the_one_worked_by_hand(name: str) -> None:
    """To the cent, each part; by the prices of the region where the list has them."""
    month, *expected = BILLS[name]
    made = bill(month, read_prices(REGIONS.get(name, "us-east-1")))
    parts = (made.xray, made.transaction_search, made.lambda_, made.cloudwatch)
    assert [str(dollars(part)) for part in parts] == expected


def test_the_table_goes_from_nothing_to_all() -> None:
    """The asked rate among the usual ones, once."""
    table = over_rates(usage(1_000_000, rate=0.07), read_prices())
    assert [str(row.usage.rate) for row in table] == ["0", "0.01", "0.05", "0.07", "0.1", "0.25", "0.5", "1"]
    assert [int(row.traced) for row in table] == [0, 10_000, 50_000, 70_000, 100_000, 250_000, 500_000, 1_000_000]


def test_what_tracing_adds_is_what_was_measured() -> None:
    """In docs/cost.json."""
    variants = json.loads((ROOT / "docs" / "cost.json").read_text())["variants"]
    names = {"kit": "kit", "adot": "ADOT layer", "adot-fast": "ADOT FAST_START", "xray-sdk": "X-Ray SDK",
             "powertools": "Powertools Tracer"}  # fmt: skip
    measured = {
        option: [f"{variants[name][key]['over_bare']:.1f}" for key in ("cold_ms", "sampled_cpu_us", "unsampled_cpu_us")]
        for option, name in names.items()
    }
    assert {
        name: [str(added.cold_ms), str(added.sampled_us), str(added.unsampled_us)] for name, added in ADDED.items()
    } == measured


def test_prices_are_in_one_file() -> None:
    """Nowhere else in the kit does a sum of money stand."""
    money = re.compile(r"(?<!\()\$\d(?![a-z$])|dollars? (?:a|per) million *=|0\.00001\d")
    paths = [path.name for path in (ROOT / "otel" / "lambda_latency").rglob("*.py") if money.search(path.read_text())]
    assert paths == []


def test_each_price_has_its_date_and_its_publication() -> None:
    """A month or a day that is past, and a publication of the list, each of which is used; us-east-1 has every price,
    as it stands in for regions whose price is missing."""
    document: dict[str, Any] = tomllib.loads(LISTED.read_text(), parse_float=Decimal)
    prices = [price for region in document["regions"].values() for price in region.values()]
    assert {tuple(sorted(price)) for price in prices} == {("date", "source", "usd")}
    assert all(re.fullmatch(r"20\d\d-(0\d|1[0-2])(-[0-3]\d)?", price["date"]) for price in prices)
    assert {price["source"] for price in prices} == document["sources"].keys()
    assert document["regions"]["us-east-1"].keys() == PRICED.keys()


def test_a_region_has_its_own_prices_and_says_which_are_of_us_east_1() -> None:
    """By origin; an unknown region has those of us-east-1 alone."""
    prices = read_prices("eu-central-1")
    assert (str(prices.logs_scanned_gb), prices.origins["logs_scanned_gb"]) == (
        "0.0063", Origin("eu-central-1", "2026-09-11", "AWS Price List, AmazonCloudWatch")
    )  # fmt: skip
    keys = ("logs_scanned_gb", "lambda_gb_second_x86_64", "spans_gb")
    assert prices.foreign(*keys) == "spans"
    assert prices.source(*keys) == (
        "public list prices of eu-central-1, 2026-09-11 to 2026-09-22 (Logs Insights and Lambda); "
        "public list prices of us-east-1, 2026-06 (spans)"
    )
    nowhere = read_prices("us-gov-west-1")
    assert nowhere.foreign(*PRICED) == nowhere.foreign(*nowhere.origins) != ""
    assert {origin.region for origin in nowhere.origins.values()} == {"us-east-1"}


def test_prices_of_ones_own_beat_the_list(tmp_path: Path) -> None:
    """By key; a listed price of the region beats an own one of us-east-1."""
    file = tmp_path / "mine.toml"
    file.write_text(
        'as_of = "May 2027"\n[regions.us-east-1]\ntraces_read_million = 0.60\nlogs_scanned_gb = 9\n'
        "[regions.eu-west-1]\nspans_gb = 0.40\n"
        'alarm_metric = { usd = 0.2, date = "2027-01", source = "the contract" }\n[free]\ntraces_recorded = 0\n'
    )
    prices = read_prices("eu-west-1", file)
    assert [str(prices.spans_gb), str(prices.traces_read_million), str(prices.logs_scanned_gb)] == [
        "0.40", "0.60", "0.0057"
    ]  # fmt: skip
    assert prices.free_traces_recorded == 0
    assert prices.origins["alarm_metric"] == Origin("eu-west-1", "2027-01", "the contract", listed=False)
    assert prices.source("spans_gb") == "your prices, May 2027"
    assert prices.source("spans_gb", "alarm_metric", "logs_scanned_gb") == (
        "your prices, 2027-01 to May 2027 (spans and alarms); "
        "public list prices of eu-west-1, 2026-08-06 (Logs Insights)"
    )


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[usage]\nmemory = 512\n", "unknown key 'memory'; the keys of [usage] are requests, rate, reservoir, spans, "),
        ("[usage]\ncold = 1.5\n", "cold must be 1 or less, got 1.5"),
        ("[usage]\nspans = -1\n", "spans must be a number, 0 or more, got -1"),
        ("[usage]\ntracer = 'adto'\n", "tracer must be kit or adot or adot-fast or xray-sdk or powertools, got 'adto'"),
        ("[usage]\ntransaction_search = 'yes'\n", "transaction_search must be true or false, got 'yes'"),
        ("[used]\nspans = 1\n", "unknown key 'used'; the keys of the file are as_of, free, regions, sources, usage"),
        ("[regions.us-east-1]\nspan_gb = 1\n", "unknown key 'span_gb'"),
        ("[regions.us-east-1]\nspans_gb = '1'\n", "spans_gb must be a number, 0 or more, got '1'"),
        ("[regions.us-east-1]\nspans_gb = -1\n", "spans_gb must be a number, 0 or more, got -1"),
        ("[regions.us-east-1]\nspans_gb = { date = '2027-01' }\n", "spans_gb must be a number, 0 or more, got None"),
        ("[free]\ntraces = 3\n", "unknown key 'traces'; the keys of [free] are traces_recorded"),
        ("regions = 3\n", "regions must be a table, got 3"),
        ("[", "cannot be read"),
    ],
)
def test_wrong_details_are_named(text: str, wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2."""
    (tmp_path / "mine.toml").write_text(text)
    assert main(["cost", "--details", str(tmp_path / "mine.toml")]) == 2
    assert wrong in capsys.readouterr().err


@pytest.mark.usefixtures("one_run")
def test_the_command_prints_the_bill_and_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """And what both rest on."""
    assert main(["cost", "--requests", "10000000", "--region", "eu-west-1"]) == 0
    assert (
        capsys.readouterr().out
        == """\
Tracing costs $14.48 a month: 2,962,400 of 10,000,000 requests are traced.
100 % would cost $49.80.

 rate      traced  X-Ray  Tr. Search  Lambda  CloudWatch  total
  0 %   2,592,000  12.46        0.00    0.16        0.00  12.62
  1 %   2,666,080  12.83        0.00    0.16        0.00  12.99
  5 %   2,962,400  14.31        0.00    0.17        0.00  14.48
 10 %   3,332,800  16.16        0.00    0.17        0.00  16.34
 25 %   4,444,000  21.72        0.00    0.19        0.00  21.91
 50 %   6,296,000  30.98        0.00    0.23        0.00  31.21
100 %  10,000,000  49.50        0.00    0.30        0.00  49.80

Traced: 1 a second, and the rate of the rest.
A request: 8.0 spans of 1,500 bytes; 1.0 % are cold starts.
Lambda: 12,501.6 GB-s added by kit, at 512 MB on arm64.
Prices: public list prices of eu-west-1, 2026-09-22 (Lambda); public list prices of us-east-1, 2026-07 (traces \
recorded). Of eu-west-1 the list lacks traces recorded: use --details FILE.
"""
    )


def test_rates_that_change_nothing_are_one_row(capsys: pytest.CaptureFixture[str]) -> None:
    """The reservoir takes every request."""
    assert main(["cost", "--requests", "1000000"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "The reservoir of 1 a second covers all requests: the rate has no effect."
    assert [line.split()[:2] for line in lines[4:6]] == [["any", "1,000,000"], []]
    assert lines[0].split()[2] == f"${lines[4].split()[-1]}"


@pytest.mark.usefixtures("one_run")
def test_the_command_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The same numbers."""
    assert main(["cost", "--requests", "10000000", "--rate", "5%", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["bill"] == {
        "rate": 0.05, "traced": 2962400.0, "gb_seconds": 12501.615,
        "dollars": {"xray": 14.31, "transaction_search": 0.0, "lambda": 0.17, "cloudwatch": 0.0, "total": 14.48},
    }  # fmt: skip
    assert [row["rate"] for row in document["rates"]] == [0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0]
    assert (document["schema"], document["region"], document["prices"]) == (
        2,
        "us-east-1",
        {
            "traces_recorded_million": {
                "dollars": 5.0, "region": "us-east-1", "date": "2026-07",
                "source": "https://aws.amazon.com/xray/pricing/",
            },
            "lambda_gb_second_arm64": {
                "dollars": 1.33334e-05, "region": "us-east-1", "date": "2026-09-19",
                "source": "AWS Price List, AWSLambda",
            },
        },
    )  # fmt: skip


def test_details_are_read_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Options override the file; both override the template."""
    (tmp_path / "template.yaml").write_text(
        "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      MemorySize: 256\n"
        "      Runtime: python3.13\n      Handler: a.b\n      CodeUri: .\n"
    )
    details = tmp_path / "month.toml"
    details.write_text("[usage]\nrequests = 7\nrate = 0.5\nprocessor = 'arm64'\ntransaction_search = true\n")
    typed = ["cost", "--details", str(details), "--template", str(tmp_path), "--rate", "20%", "--format", "json"]
    assert main(typed) == 0
    usage = json.loads(capsys.readouterr().out)["usage"]
    assert (usage["requests"], usage["rate"], usage["memory_mb"]) == (7, 0.2, 256)
    assert (usage["processor"], usage["transaction_search"]) == ("arm64", True)
    assert main(["cost", "--details", str(tmp_path / "none.toml")]) == 1


def test_an_estimate_loads_no_reader_of_traces() -> None:
    """Without --account and --template; neither are the doctor's rules loaded."""
    code = (
        "import sys; from lambda_latency.cli import main; main(['cost']);"
        "rooms = {one.split('.')[1] for one in sys.modules if one.startswith('lambda_latency.')};"
        "print(sorted(rooms), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "['cli', 'documentation', 'prices', 'version']\n"


NOW = datetime(2026, 11, 27, tzinfo=timezone.utc)
METRICS = {"GetMetricStatistics": {"Datapoints": [{"Sum": 400_000.0}, {"Sum": 600_000.0}]}}
SEARCH: dict[str, Any] = {
    **METRICS,
    "GetTraceSegmentDestination": {"Destination": "CloudWatchLogs"},
    "GetIndexingRules": {"IndexingRules": [{"Rule": {"Probabilistic": {"DesiredSamplingPercentage": 5.0}}}]},
}


def test_an_account_has_its_invocations_and_its_rule() -> None:
    """Invocations of all functions, and the sampling rule that is for every service."""
    numbers = read_account(Cloud(METRICS).make, "eu-west-1", NOW)
    assert numbers.usage == {
        "requests": Decimal(1_000_000), "rate": Decimal("0.05"), "reservoir": Decimal(1), "transaction_search": False,
    }  # fmt: skip
    assert "\n".join(numbers.lines).splitlines() == [
        "Account: eu-west-1, the 30 days until today.",
        "Invocations: 1,000,000.",
        "Sampling rule: Default (1 a second, 5 %). Other rules, not used: shop (5 a second, 10 %).",
    ]


def test_the_calls_are_those_that_the_policy_allows(capsys: pytest.CaptureFixture[str]) -> None:
    """And no other; nothing is written."""
    cloud = Cloud(SEARCH)
    read_account(cloud.make, "eu-west-1", NOW)
    assert sorted(set(cloud.asked)) == list(ACTIONS)
    assert all(re.fullmatch(r"\w+:Get\w+", action) for action in ACTIONS)
    assert main(["policy", "cost"]) == 0
    (statement,) = json.loads(capsys.readouterr().out)["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", list(ACTIONS))


@pytest.mark.parametrize(
    ("denied", "unread"),
    [
        ("GetMetricStatistics", ["requests"]),
        ("GetSamplingRules", ["rate", "reservoir"]),
        ("GetTraceSegmentDestination", ["transaction_search"]),
        ("GetIndexingRules", ["indexed_percent"]),
    ],
)
def test_a_refused_call_leaves_its_values_unread(denied: str, unread: list[str]) -> None:
    """The others are read."""
    numbers = read_account(Cloud(SEARCH, denied=[denied]).make, "eu-west-1", NOW)
    assert (numbers.unread(), [action.rpartition(":")[2] for action in numbers.refused]) == (unread, [denied])
    assert numbers.usage.keys().isdisjoint(unread)


def test_a_page_of_rules_that_comes_again_leaves_them_unread() -> None:
    """Also if another came between."""
    tokens = itertools.cycle(["a", "b"])
    again = {"GetSamplingRules": lambda: {"SamplingRuleRecords": [], "NextToken": next(tokens)}}
    numbers = read_account(Cloud({**SEARCH, **again}).make, "eu-west-1", NOW)
    assert numbers.refused == {"xray:GetSamplingRules": "the same page comes again"}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the account that the command reads."""
    return lambda cloud: monkeypatch.setattr("lambda_latency.fetch.Clients", lambda _: cloud)


@pytest.mark.parametrize("operation", ["GetMetricStatistics", "GetIndexingRules"])
def test_a_wrong_clock_ends_the_command(operation: str, account: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """At the first call, or in the middle: no permission helps."""
    account(Cloud({**SEARCH, operation: ("SignatureDoesNotMatch", "Signature expired: 1 is now earlier than 2")}))
    assert main(["cost", "--account"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("lambda-latency: AWS rejects these credentials: Signature expired")
    assert "the clock of this machine" in printed.err


def test_the_command_uses_the_accounts_numbers(account: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Options override them; the region is the account's."""
    account(Cloud(SEARCH))
    assert main(["cost", "--account", "--rate", "20%", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {name: document["usage"][name] for name in ("requests", "rate", "reservoir", "indexed_percent")} == {
        "requests": 1_000_000.0, "rate": 0.2, "reservoir": 1.0, "indexed_percent": 5.0,
    }  # fmt: skip
    assert (document["usage"]["transaction_search"], document["region"]) == (True, "eu-west-1")
    assert main(["cost", "--account"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Tracing costs $")
    assert out.endswith("Sampling rule: Default (1 a second, 5 %). Other rules, not used: shop (5 a second, 10 %).\n")


REFUSED = ("GetMetricStatistics", "GetSamplingRules", "GetTraceSegmentDestination")


def test_refused_calls_are_said_first(account: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """What is assumed in place of an account's values is not told as the account's; status 4."""
    account(Cloud(SEARCH, denied=REFUSED))
    assert main(["cost", "--account"]) == 4
    refused, assumed, empty, cost, *_, prices = capsys.readouterr().out.splitlines()
    assert refused == (
        "Not read from the account in eu-west-1, because AWS refused: cloudwatch:GetMetricStatistics "
        "(AccessDeniedException), xray:GetSamplingRules (AccessDeniedException), xray:GetTraceSegmentDestination "
        "(AccessDeniedException). `lambda-latency policy cost` prints the permissions."
    )
    assert assumed == (
        "Assumed, not the account's: 1,000,000 requests a month, a sampling rate of 5 %, a reservoir of 1 a second, "
        "no Transaction Search."
    )
    assert (empty, cost) == (
        "", "With what is assumed, tracing costs $4.53 a month: 1,000,000 of 1,000,000 requests are traced.",
    )  # fmt: skip
    assert prices.startswith("Prices: ")
    assert main(["cost", "--account", "--format", "json"]) == 4
    document = json.loads(capsys.readouterr().out)
    assert document["assumed"] == ["requests", "rate", "reservoir", "transaction_search"]
    assert set(document["refused"].values()) == {"AccessDeniedException"}


def test_what_is_given_is_not_assumed(account: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By options, or in the file of details."""
    account(Cloud(SEARCH, denied=REFUSED))
    (tmp_path / "month.toml").write_text("[usage]\nreservoir = 2\ntransaction_search = false\n")
    typed = ["cost", "--account", "--requests", "10_000_000", "--rate", "5%", "--details", str(tmp_path / "month.toml")]
    assert main(typed) == 4
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Not read from the account in eu-west-1")
    assert lines[2].startswith("Tracing costs $")
