"""The plain account as a whole, as it stands on a terminal: everything but the colour."""

from __future__ import annotations

from otel.latency.text import Style, render_account
from tests.latency.load import load
from tests.latency.system import order

WIDE = """\
p50 135 ms · p95 900 ms · p99 3,010 ms · max 3,010 ms · cold 2 · errors 3 · timeouts 1 · seen 5 %
     ▄                          ▂▄▅▄█▅▅▇▇▇▅           ▂         ▂┊     ▂         ▂
  10 ms    20           50        100      200          500       1 s       2 s          5 s

Where the time goes                   whose       mean                     share  calls
payments.example.com                  theirs    133 ms  █████████████████   51 %     36  2 errors
a-rather-long-name.payments.example…  theirs     74 ms  █████████▍          29 %      1
cold start                            ours       14 ms  █▋                   5 %      2
own code                              ours       12 ms  █▍                   4 %      -
DynamoDB PutItem orders               theirs     11 ms  █▍                   4 %     37  1 throttled
API Gateway                           platform    5 ms  ▋                    2 %      -
Lambda overhead                       platform    4 ms  ▍                    1 %      -
Lambda service                        platform    4 ms  ▍                    1 %      -
3 more parts                                      5 ms                       2 %

The slowest: POST /orders, 3,010 ms, 1-6b05a667-affeb9dbb0aa7f2b00000069
                                        waited       took  0                               3,010 ms
orders-api/dev                            5 ms   3,010 ms  ────────────────────────────────────────
  Lambda CreateOrder                      6 ms   3,005 ms  ────────────────────────────────────────
    CreateOrder handler                   9 ms   2,998 ms  ────────────────────────────────────────
      DynamoDB PutItem orders            12 ms      12 ms  ▏
      POST a-rather-long-… (running)  2,977 ms   2,977 ms  ████████████████████████████████████████
    Lambda overhead                       1 ms       8 ms                                         ▏

What to do next
2 slow requests (over 900 ms) wait 1,489 ms of 2,235 ms for a-rather-long-name.payments.example.com
on average. It is theirs.
Give the call to a-rather-long-name.payments.example.com a timeout below the function's, answer
without it when it is late, and take it out of the request where nobody waits for its result (a
queue). Ask its owner with a trace id.
The cold starts of a laptop are not Lambda's.
"""

NARROW_ASCII = """\
p50 135 ms | p95 900 ms | p99 3,010 ms | max 3,010 ms | cold 2 | errors 3
timeouts 1 | seen 40
    -                    :+*%*%*@-        :       :|   :       :
  10 ms  20        50     100     200       500    1 s     2 s       5 s

Where the time goes                  whose       mean  share  calls
payments.example.com                 theirs    133 ms   51 %     36  2 errors
a-rather-long-name.payments.exampl~  theirs     74 ms   29 %      1
cold start                           ours       14 ms    5 %      2
own code                             ours       12 ms    4 %      -
DynamoDB PutItem orders              theirs     11 ms    4 %     37  1 throttled
API Gateway                          platform    5 ms    2 %      -
Lambda overhead                      platform    4 ms    1 %      -
Lambda service                       platform    4 ms    1 %      -
3 more parts                                     5 ms    2 %

The slowest: POST /orders, 3,010 ms, 1-6b05a667-affeb9dbb0aa7f2b00000069
                                        waited       took  0           3,010 ms
orders-api/dev                            5 ms   3,010 ms  --------------------
  Lambda CreateOrder                      6 ms   3,005 ms  --------------------
    CreateOrder handler                   9 ms   2,998 ms  --------------------
      DynamoDB PutItem orders            12 ms      12 ms  |
      POST a-rather-long-~ (running)  2,977 ms   2,977 ms  ####################
    Lambda overhead                       1 ms       8 ms                     |

What to do next
2 slow requests (over 900 ms) wait 1,489 ms of 2,235 ms for
a-rather-long-name.payments.example.com on average. It is theirs.
Give the call to a-rather-long-name.payments.example.com a timeout below the
function's, answer without it when it is late, and take it out of the request
where nobody waits for its result (a queue). Ask its owner with a trace id.
"""

NARROWEST = """\
p50 135 ms · p95 900 ms · p99 3,010 ms · max 3,010 ms
cold 2 · errors 3 · timeouts 1 · seen 40
   ▂              ▂▅▇▅▇█      ▁     ▁┊ ▁     ▁
  10 ms       50   100  200    500  1 s   2 s    5 s

Where the time goes                  whose       mean  share
payments.example.com                 theirs    133 ms   51 %
a-rather-long-name.payments.exampl…  theirs     74 ms   29 %
cold start                           ours       14 ms    5 %
own code                             ours       12 ms    4 %
DynamoDB PutItem orders              theirs     11 ms    4 %
API Gateway                          platform    5 ms    2 %
Lambda overhead                      platform    4 ms    1 %
Lambda service                       platform    4 ms    1 %
3 more parts                                     5 ms    2 %

The slowest: POST /orders, 3,010 ms,
1-6b05a667-affeb9dbb0aa7f2b00000069
                            waited       took  0   3,010 ms
orders-api/dev                5 ms   3,010 ms  ────────────
  Lambda CreateOrder          6 ms   3,005 ms  ────────────
    CreateOrder handler       9 ms   2,998 ms  ────────────
      DynamoDB PutItem …     12 ms      12 ms  ▏
      POST a-… (running)  2,977 ms   2,977 ms  ████████████
    Lambda overhead           1 ms       8 ms             ▏

What to do next
2 slow requests (over 900 ms) wait 1,489 ms of 2,235 ms for
a-rather-long-name.payments.example.com on average. It is
theirs.
Give the call to a-rather-long-name.payments.example.com a
timeout below the function's, answer without it when it is
late, and take it out of the request where nobody waits for
its result (a queue). Ask its owner with a trace id.
"""

ONE = """\
p50 200 ms · p95 200 ms · p99 200 ms · max 200 ms · cold 0 · errors 0 · timeouts 0 · seen 1
  █
  200 ms                                                                                 500

Where the time goes      whose       mean                                  share  calls
payments.example.com     theirs    166 ms  ██████████████████████████████   83 %      1
DynamoDB PutItem orders  theirs     12 ms  ██▏                               6 %      1
own code                 ours       10 ms  █▊                                5 %      -
API Gateway              platform    5 ms  ▉                                 3 %      -
Lambda overhead          platform    4 ms  ▋                                 2 %      -
Lambda service           platform    4 ms  ▋                                 2 %      -

The request: POST /orders, 200 ms, 1-6b05a667-affeb9dbb0aa7f2b00000000
                                        waited       took  0                                 200 ms
orders-api/dev                            5 ms     200 ms  █───────────────────────────────────────
  Lambda CreateOrder                      6 ms     195 ms  █───────────────────────────────────────
    CreateOrder handler                  10 ms     188 ms   ██───────────────────────────────────█
      DynamoDB PutItem orders            12 ms      12 ms    ███
      POST payments.example.com           4 ms     166 ms       █────────────────────────────────█
        payments POST /charges          160 ms     162 ms       ─████████████████████████████████
          INSERT charges                  2 ms       2 ms        █
      telemetry flush                        -      15 ms                                         ┄
    Lambda overhead                       1 ms       8 ms                                         ▏

What to do next
The slowest request waits 166 ms of 200 ms for payments.example.com. It is theirs.
Give the call to payments.example.com a timeout below the function's, answer without it when it is
late, and take it out of the request where nobody waits for its result (a queue). Ask its owner with
a trace id.
"""


def _plain(text: str) -> str:
    """With the thin no-break spaces as plain ones, which an editor shows."""
    return text.replace("\u202f", " ")


def test_the_account_at_100_columns() -> None:
    """Facts, distribution, table, the slowest request, what to do next, notes."""
    notes = ["The cold starts of a laptop are not Lambda's."]
    assert _plain(render_account(load(), Style(), traffic=800, notes=notes)) == WIDE


def test_the_account_at_80_columns_without_unicode() -> None:
    """Bars went first; not one letter beyond ASCII is left."""
    text = render_account(load(), Style(width=80, unicode=False))
    assert text == NARROW_ASCII
    assert text.isascii()


def test_the_account_at_60_columns() -> None:
    """Calls went too, names are cut, lines are wrapped."""
    text = _plain(render_account(load(), Style(width=60)))
    assert text == NARROWEST
    assert max(map(len, text.splitlines())) <= 60


def test_the_account_of_one_request() -> None:
    """There is no slowest of one."""
    assert _plain(render_account([order(200)], Style())) == ONE


def test_numbers_and_units_are_never_parted() -> None:
    """A thin no-break space stands between them."""
    assert "p50 135\u202fms · p95 900\u202fms" in render_account(load(), Style())


def test_no_trace_is_said_in_a_line() -> None:
    """Not an empty table."""
    assert render_account([], Style()) == "No requests: no trace was read.\n"


def test_the_order_of_traces_changes_nothing() -> None:
    """Files are read in any order."""
    assert render_account(load()[::-1], Style()) == render_account(load(), Style())


def test_colour_adds_ink_and_no_letter() -> None:
    """Every mark that has a colour has a word of its own."""
    inked = render_account(load(), Style(colour=True))
    for code in ("1", "2", "31", "33", "34"):
        assert f"\x1b[{code}m" in inked
        inked = inked.replace(f"\x1b[{code}m", "")
    assert inked.replace("\x1b[0m", "") == render_account(load(), Style())
