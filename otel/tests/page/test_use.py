"""The page in use: sorting, filtering, brushing, opening a request, going back to a view, by mouse and by keyboard."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from lambda_latency.cli.commands.report import run_report
from lambda_latency.cli.request import Request
from lambda_latency.latency.gate import read_gate
from lambda_latency.text import Style
from lambda_latency.trace import dump_line
from tests.latency.generated import hundred
from tests.page import firsts
from tests.page.browser import Browser
from tests.page.samples import HOSTILE, page_of


@pytest.fixture
def rich(browser: Browser, page: Callable[[str], str]) -> Browser:
    """The browser with a hundred and twenty requests before it."""
    browser.show(page("rich"))
    return browser


def found(browser: Browser) -> str:
    """How many requests the list shows."""
    return browser.text("#found")


def opened(browser: Browser) -> str:
    """Route and time of the open request."""
    return browser.text("#request-title").strip()


def row(browser: Browser, index: int) -> list[str]:
    """The cells of a row of the list, the time of day aside."""
    return [browser.text(f"#row-{index} > :nth-child({cell})") for cell in (2, 3, 4, 5)]


def test_the_sentence_comes_first_and_the_proof_is_open(rich: Browser) -> None:
    """From a file, with the network off; nothing has been asked of it, and nothing has moved."""
    assert rich.text("#sentence") == "Thin evidence: 8 of 104 requests of GET /orders/{id}, POST /orders are slow."
    assert rich.text(".told") == (
        "Thin evidence: 8 of 104 requests of GET /orders/{id}, POST /orders are slow. payments.example.com explains 72 "
        "% of the difference (706 ms), retries DynamoDB orders 14 % (132 ms)."
    )
    assert found(rich) == "120 requests"
    assert opened(rich) == "POST /orders · 1,400 ms"
    assert rich.run(
        "return [scrollY, performance.getEntriesByType('resource').length, document.activeElement.tagName]"
    ) == [
        0,
        0,
        "BODY",
    ]
    titles = "return [...document.querySelectorAll('#beside h2, #sections h2')].map((one) => one.id)"
    names = ("distribution", "parts", "requests", "request", "flame", "services", "sampling", "problems")
    assert rich.run(titles) == [f"{name}-title" for name in names]


def test_filters_by_mouse(rich: Browser) -> None:
    """Chips, selects, a part; each can be taken away."""
    rich.click("#only-slow")
    assert found(rich) == "8 of 120 requests"
    rich.click("#only-cold")
    assert found(rich) == "2 of 120 requests"
    rich.click("#clear")
    assert (found(rich), rich.focused) == ("120 requests", "search")
    rich.click("#only-timeout")
    assert (found(rich), row(rich, 0)[3]) == ("1 of 120 requests", "timeout")
    rich.click("#clear")
    rich.click(".parts tbody tr:nth-child(3) button")
    assert (found(rich), row(rich, 0)) == (
        "1 of 120 requests",
        ["POST /orders", "1,200 ms", "retries DynamoDB orders 1,056 ms", "throttled"],
    )
    rich.click("#clear")
    rich.run("const one = document.querySelector('#part'); one.value = '0'; one.dispatchEvent(new Event('change'))")
    assert found(rich) == "71 of 120 requests"
    rich.run("const one = document.querySelector('#part'); one.value = ''; one.dispatchEvent(new Event('change'))")
    assert found(rich) == "120 requests"


def test_filters_by_keyboard(rich: Browser) -> None:
    """A part and a chip have the keyboard too."""
    rich.focus(".parts tbody tr:nth-child(3) button")
    rich.keys(Keys.ENTER)
    assert found(rich) == "1 of 120 requests"
    rich.focus("#only-cold")
    rich.keys(Keys.SPACE)
    assert (found(rich), rich.count("#nothing")) == ("0 of 120 requests", 1)
    rich.focus("#clear")
    rich.keys(Keys.ENTER)
    assert found(rich) == "120 requests"


def test_search_finds_ids_routes_parts_and_statuses(rich: Browser) -> None:
    """As people write them; Escape takes the words away."""
    for words, count in (
        ("1-6b05a667-affeb9dbb0aa7f2b0000012e", "1"),
        ("6b05a667affeb9dbb0aa7f2b0000012e", "1"),
        ("get /orders/{id}", "34"),
        ("cold start", "2"),  # one whose largest part it is, one with such a span
        ("502", "1"),
        ("throttled", "1"),
        ("timeout", "1"),
        ("nothing like it", "0"),
    ):
        rich.run("document.activeElement.blur()")
        rich.keys("/")
        assert rich.focused == "search"
        rich.keys(words)
        assert (words, found(rich)) == (words, f"{count} of 120 requests")
        assert rich.count("#nothing") == (1 if count == "0" else 0)
        rich.keys(Keys.ESCAPE)
        if found(rich) != "120 requests":
            rich.keys(Keys.ESCAPE)  # the first one closed the suggestions, which come after a pause
        assert found(rich) == "120 requests"


def test_suggestions_of_values_with_quotes(rich: Browser) -> None:
    """Values with quotes that are read on the way stop nothing."""
    rich.keys("/")
    rich.keys("timeout")
    suggested = "[...document.querySelector('#suggested').children].map((item) => item.textContent)"
    rich.until(f"{suggested}.at(-1)?.includes('timeout')")  # not those for its first letters
    assert rich.run(f"return {suggested}") == ["lambda.timeout = true", "lambda.timeout.limit_ms = 3000"]


def test_sorting_by_mouse_and_by_keyboard(rich: Browser) -> None:
    """A second press turns it round, and the head says so."""
    assert row(rich, 0)[1] == "3,010 ms"
    rich.click("[data-sort=took]")
    assert rich.run("return document.querySelector('.heads .took').getAttribute('aria-sort')") == "ascending"
    shortest = int(row(rich, 0)[1].split()[0])
    assert shortest <= int(row(rich, 1)[1].split()[0]) < 40
    rich.focus("[data-sort=start]")
    rich.keys(Keys.ENTER)
    starts = [rich.text(f"#row-{index} > :first-child") for index in range(5)]
    assert starts == sorted(starts)
    assert rich.run("return document.querySelectorAll('[aria-sort]').length") == 1
    rich.keys(Keys.SPACE)
    assert rich.text("#row-0 > :first-child") > starts[-1]


def test_a_range_by_mouse(rich: Browser) -> None:
    """Dragging filters and fills the fields; a click on the ground takes it away; a click on a mark opens it."""
    rich.click("#view-length")
    rich.drag(".chart svg", 0.6, 0.95)
    assert 0 < int(found(rich).split()[0]) < 20
    low, high = rich.run("return ['from', 'to'].map((id) => Number(document.getElementById(id).value))")
    assert 200 < low < high
    rich.drag(".chart svg", 0.97, 0.97)
    assert found(rich) == "120 requests"
    rich.click(".chart .mark.timeout")
    assert opened(rich).startswith("POST /orders · 3,010 ms")


def test_a_range_by_keyboard(rich: Browser) -> None:
    """The picture's two handles are sliders."""
    rich.click("#view-length")
    rich.focus(".handle[data-side=from]")
    rich.keys(*[Keys.PAGE_UP] * 7)
    fewer = int(found(rich).split()[0])
    assert 0 < fewer < 60
    assert rich.run("return document.activeElement.getAttribute('aria-valuetext')").endswith("ms")
    rich.keys(Keys.ARROW_LEFT)
    assert int(found(rich).split()[0]) >= fewer
    rich.keys(Keys.HOME)
    assert found(rich) == "120 requests"
    rich.focus(".handle[data-side=to]")
    rich.keys(Keys.PAGE_DOWN)
    assert int(found(rich).split()[0]) < 120
    rich.keys(Keys.ESCAPE, Keys.ESCAPE)
    assert found(rich) == "120 requests"


def test_a_request_opens_by_mouse(rich: Browser) -> None:
    """With its stack, its spans, and the attributes of one."""
    rich.click("#row-0")
    assert opened(rich).startswith("POST /orders · 3,010 ms")
    assert "At the deadline of 3,000 ms this was running, for 2,975 ms: POST payments.example.com" in rich.text(
        "#stack"
    )
    assert rich.text("#stack li.own .code") == "charge = payments.charge(order)"
    assert rich.text("#stack summary") == "5 frames of packages"
    assert rich.text("#stack > ol > li:last-child") == "socket.py:719  readinto"
    assert rich.text("#stack > details summary") == "In thread audit-0"
    limit, end = rich.run(
        "return ['.fall .deadline', '.fall .outline'].map((one) => document.querySelector(one).getBBox())"
        ".map((box) => box.x + box.width)"
    )
    assert abs(end - limit) < 3  # 3,000 of 3,010 ms, from where the handler began
    rich.run("[...document.querySelectorAll('.span-row')].at(-2).click()")
    rich.settle()
    details = rich.text("#details")
    for word in (
        "POST payments.example.com",
        "http.method",
        "lambda.timeout.limit_ms",
        "span kind",
        "CLIENT",
        "2,975 ms",
    ):
        assert word in details
    rich.click("#close-details")
    assert (rich.count("#details"), rich.focused) == (0, "fall")
    rich.click("#next")
    assert opened(rich) == "POST /orders · 1,610 ms"
    rich.click("#close")
    assert (opened(rich), rich.focused) == ("One request", "list")


def test_a_request_opens_by_keyboard(rich: Browser) -> None:
    """From the list into the waterfall: fold, unfold, attributes, zoom, and step by step back to the row."""
    rich.focus("#list")
    rich.keys(Keys.HOME, Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER)
    assert (opened(rich), rich.focused) == ("POST /orders · 1,460 ms cold", "fall")
    spans = rich.count(".span-row")
    rich.keys(Keys.ARROW_DOWN, Keys.ARROW_LEFT)
    assert rich.count(".span-row") < spans
    rich.keys(Keys.ARROW_RIGHT)
    assert rich.count(".span-row") == spans
    rich.keys(Keys.END, Keys.HOME, Keys.ENTER)
    assert "orders-api/dev" in rich.text("#details")
    rich.keys("z")
    assert (rich.count("#whole"), rich.focused) == (1, "fall")
    rich.keys("0")
    assert rich.count("#whole") == 0
    rich.keys(Keys.ESCAPE)
    assert rich.count("#details") == 0
    rich.keys(Keys.ESCAPE)
    assert (opened(rich), rich.focused) == ("One request", "list")
    assert rich.run("return document.getElementById('list').getAttribute('aria-activedescendant')") == "row-2"
    rich.keys("v")
    assert (opened(rich), rich.focused) == ("POST /orders · 1,400 ms", "fall")
    rich.run("document.activeElement.blur()")
    rich.keys("j")
    next_title = opened(rich)
    rich.keys("k")
    assert (opened(rich), next_title != opened(rich)) == ("POST /orders · 1,400 ms", True)


def test_how_a_connection_was_made_is_folded_into_the_call(rich: Browser) -> None:
    """Its time is hatched in the call's own bar; the triangle shows its rows."""
    rich.click("#row-2")
    folded = (
        "[...document.querySelectorAll('.span-row')].filter((one) => one.getAttribute('aria-expanded') === 'false')"
    )
    assert rich.run(f"return {folded}.map((one) => one.querySelector('.isolated').textContent)") == [
        "POST payments.example.com"
    ]
    assert rich.run("return document.querySelectorAll('.fall [fill=\"url(#t-connect)\"]').length") > 0
    spans = rich.count(".span-row")
    rich.run(f"{folded}[0].querySelector('button.twist').click()")
    rich.settle()
    assert rich.count(".span-row") == spans + 3


def test_the_waterfall_adds_up(rich: Browser) -> None:
    """What was waited for, row by row, is the request's time; the filled parts are as long as the axis."""
    waited = "[...document.querySelectorAll('.waited-ms')].map((one) => one.textContent)"
    shown = [str(text).replace("\u202f", " ").replace(",", "") for text in rich.run(f"return {waited}")]
    total = sum(float(text.split()[0]) for text in shown if text[0].isdigit())
    assert abs(total - 1400) < len(shown)
    filled = "[...document.querySelectorAll('.fall .waited')].reduce((sum, one) => sum + one.getBBox().width, 0)"
    outer = "document.querySelector('.fall .outline').getBBox().width"
    assert abs(rich.run(f"return {filled} - {outer}")) < 12  # the shortest are drawn a pixel wide


def test_the_address_holds_the_view(rich: Browser) -> None:
    """Filters, order and the open request, on another screen as here; nonsense in it does no harm."""
    rich.click("#only-slow")
    rich.click("[data-sort=start]")
    rich.drag(".chart svg", 0.5, 0.97)
    rich.click("#row-1")
    view = [found(rich), opened(rich), row(rich, 0), row(rich, 1)]
    address = rich.address
    assert "only=slow" in address
    rich.show(address)
    assert [found(rich), opened(rich), row(rich, 0), row(rich, 1)] == view
    assert rich.run("return document.querySelector('#row-1').classList.contains('open')")
    rich.show(
        address.split("#", maxsplit=1)[0]
        + "#route=99&part=x&only=evil,toString&from=-5&to=abc&sort=constructor&trace=1"
    )
    assert (found(rich), row(rich, 0)[1]) == ("120 requests", "3,010 ms")


def test_a_shared_address_leaves_the_verdict_in_sight_and_back_undoes(rich: Browser) -> None:
    """It names parts, routes, the request, its span and its zoom; what was before each step comes back."""
    begin = rich.address
    rich.click(".parts tbody tr:nth-child(3) button")
    assert "#part=retries%3A+retries+DynamoDB+orders" in rich.address
    rich.run("history.back()")
    rich.until(f"location.href === '{begin}'")
    rich.settle()
    assert found(rich) == "120 requests"
    rich.click("#row-1")
    rich.run("document.querySelector('#span-5').click()")
    rich.click("#zoom")
    shared = rich.address
    assert [name in shared for name in ("trace=", "span=", "zoom=")] == [True] * 3
    rich.show(shared)
    assert rich.run("return [scrollY, document.getElementById('sentence').checkVisibility()]") == [0, True]
    assert opened(rich) == "POST /orders · 1,610 ms"
    assert (rich.count("#whole"), rich.text("#details h3")) == (1, "payments POST /charges")


def test_of_a_request_with_thousands_of_spans_only_rows_in_sight_exist(
    browser: Browser, page: Callable[[str], str]
) -> None:
    """Repeats share a row; unfolded, keys and the wheel reach the last one; nothing draws all of them."""
    browser.show(page("huge") + "#trace=6b05a667affeb9dbb0aa7f2b0000004d")
    assert browser.run("return document.getElementById('fall').getAttribute('aria-rowcount')") == "7"
    assert browser.text("#span-4 .span-name .isolated") == "3,000 \u00d7 DynamoDB GetItem orders"
    assert browser.text("#span-4 .took-ms") == browser.text("#span-4 .waited-ms") == "270 ms"
    browser.focus("#fall")
    browser.keys(*[Keys.ARROW_DOWN] * 4, Keys.ARROW_RIGHT)
    assert browser.count(".span-row") < 80
    assert browser.run("return document.getElementById('fall').getAttribute('aria-rowcount')") == "3007"
    browser.focus("#fall")
    browser.keys(Keys.END)
    assert browser.run("return document.getElementById('fall').getAttribute('aria-activedescendant')") == "span-3005"
    assert browser.count("#span-3005") == 1
    browser.run("document.getElementById('fall').scrollTop = 0")
    browser.until("document.getElementById('span-0') !== null")
    browser.until("!document.getElementById('fall').hasAttribute('aria-activedescendant')")
    assert browser.run("return document.querySelectorAll('*').length") < 3000


def test_only_rows_in_sight_exist(browser: Browser, page: Callable[[str], str]) -> None:
    """Of ten thousand; the last one comes with a key."""
    browser.show(page("ten-thousand"))
    assert found(browser) == "10,000 requests"
    assert browser.count(".inner .row") < 40
    assert 10 <= browser.count(".chart path.bar") <= 40
    browser.focus("#list")
    browser.keys(Keys.END)
    browser.until("document.getElementById('row-9999') !== null")
    assert browser.run("return document.getElementById('list').getAttribute('aria-rowcount')") == "10001"
    assert browser.run("return document.querySelectorAll('*').length") < 3000
    assert "This page keeps the spans of" not in browser.text("#request")
    browser.keys(Keys.ENTER)
    assert "This page keeps the spans of" in browser.text("#request")
    assert "lambda-latency report traces/orders.jsonl --trace " in browser.text("#request .hint code")


@pytest.mark.parametrize(
    ("state", "sentence", "sections"),
    [
        ("thin", "Thin evidence: 2 of 14 requests of POST /orders are slow, and each for another reason.", 6),
        ("even", "Nothing stands out.", 6),
        ("one", "One request, 1,460 ms: here is where it went. 993 ms (68 %) for payments.example.com", 2),
        ("timeout", "One request, 3,010 ms: here is where it went. 2,975 ms (99 %) for payments.example.com", 2),
        ("none", "No requests: no trace was read.", 1),
    ],
)
def test_every_state_says_what_it_is(
    browser: Browser, page: Callable[[str], str], state: str, sentence: str, sections: int
) -> None:
    """A section without anything to say is not there."""
    browser.show(page(state))
    assert browser.text("#sentence").startswith(sentence)
    assert browser.count("#sections > section") == sections
    browser.keys("j", "k", "v", "/", Keys.ESCAPE, "?")
    assert browser.run("return document.getElementById('keys').open")
    browser.keys(Keys.ESCAPE)
    assert not browser.run("return document.getElementById('keys').open")


def test_conditions_and_the_baseline_are_the_first_cards(browser: Browser, tmp_path: Path) -> None:
    """Each gate that says no, then what became of the baseline, then the slow requests."""
    traces = tmp_path / "traces.jsonl"
    traces.write_text("".join(dump_line(trace.spans) for trace in hundred()))
    page = tmp_path / "report.html"
    gates = [read_gate("p95 > 1ms"), read_gate("p95 > 9000ms")]
    run_report(Request([traces], against=str(traces), fail_if=gates, html=str(page)), Style(), io.StringIO())
    browser.show(page.as_uri())
    names = "return [...document.querySelectorAll('.row-of-finding .title b')].map((one) => one.textContent)"
    assert browser.run(names) == [
        "A condition was met",
        "All requests",
        "payments: own code",
        "POST a-rather-long-name.payments.example.com",
        "network to payments",
        "In no finding",
    ]
    assert browser.text("#sentence").startswith("No difference from the baseline (119 requests then")
    browser.click("#finding-1")
    assert browser.text(".told").startswith("No difference from the baseline (119 requests then")
    assert browser.run("return document.querySelector('#sections > section').id") == "change"
    heads, cells = (
        browser.run(f"return [...document.querySelectorAll('{rows}')].map((one) => one.textContent)")
        for rows in (".change th", ".change tbody tr:first-child td")
    )
    assert heads == ["What", "Then", "Now", "Difference", "Between", "Kind"]
    assert [cell != "" for cell in cells] == [True] * 6
    names = "return [...document.querySelectorAll('.change .name')].map((one) => one.textContent)"
    assert browser.run(names)[-7:] == [
        "the whole request",
        "p50 of all requests",
        "p95 of all requests",
        "p99 of all requests",
        "errors",
        "cold starts",
        "timeouts",
    ]


def test_hostile_names_are_text(browser: Browser, page: Callable[[str], str]) -> None:
    """In every place where a name can stand: nothing of them became an element, and no script ran."""
    browser.show(page("hostile"))
    assert browser.run("return document.querySelectorAll('script').length") == 5
    places = {
        "part": "#parts",
        "finding": "#verdict",
        "select": "#route",
        "problem": "#problems",
    }
    texts = {place: browser.text(selector) for place, selector in places.items()}
    assert [place for place, text in texts.items() if '<script>alert("1")</script>' not in text] == []
    for part in ("2610", "1910", "3010"):
        browser.run("document.activeElement.blur()")
        browser.run("location.hash = ''")
        browser.focus("#from")
        browser.run(
            "const one = document.activeElement; one.value = arguments[0]; one.dispatchEvent(new Event('input'))", part
        )
        browser.settle()
        browser.click("#row-0")
        for index in range(browser.count(".span-row")):
            browser.run("document.querySelectorAll('.span-row')[arguments[0]].click()", index)
    browser.run("location.hash = '#trace=6b05a667affeb9dbb0aa7f2b00002329'")
    browser.until("document.getElementById('request-title').textContent.includes('2,610')")
    rows = "[...document.querySelectorAll('.span-row')].find((one) => one.textContent.includes('<script>'))"
    browser.run(f"{rows}.click()")
    details = browser.text("#details")
    assert HOSTILE in browser.text("#request-title")
    assert f'["{HOSTILE}'.replace('"', "").replace("\\", "")[:20] in details.replace("\\", "").replace('"', "")
    assert "9223372036854775808" in details
    assert browser.run("return document.querySelectorAll('script').length") == 5
    title = browser.run("return document.title")
    assert re.match(r"10 of 120 requests of POST /orders \(8 %\) wait for payments.example.com", title)


def test_chosen_requests_are_held_against_the_rest(rich: Browser) -> None:
    """A filter changes the parts too, a drag over the times of day chooses, and both can be taken away."""
    whole = rich.text("#parts")
    rich.click("#only-slow")
    assert rich.text("#parts-title") == "Where the time goes: the chosen requests against the rest"
    cells = rich.run("return [...document.querySelector('.parts tbody tr').children].map((one) => one.textContent)")
    assert [str(cell).replace("\u202f", " ") for cell in cells] == [
        "payments.example.com",
        "external",
        "",
        "95 ms",
        "794 ms",
        "+698 ms",
        "72 %",
        "",
    ]
    rich.click("#clear")
    assert rich.text("#parts") == whole
    rich.drag(".chart svg", 0.5, 0.97)
    assert 0 < int(found(rich).split()[0]) < 120
    assert "since=" in rich.address
    rich.show(rich.address)
    assert 0 < int(found(rich).split()[0]) < 120
    rich.keys(Keys.ESCAPE, Keys.ESCAPE)
    assert found(rich) == "120 requests"


def test_each_class_is_told_with_an_example(browser: Browser, page: Callable[[str], str]) -> None:
    """The change is the first finding, and no class repeats it; requests that no finding explains come last."""
    browser.show(page("classes"))
    assert browser.text("#sentence") == "Slower than the baseline (60 requests then, 600 now)."
    script = "return [...document.querySelectorAll('.row-head')].map((one) => one.innerText.split('\\n').join('|'))"
    rows = [re.sub(r"\|+", "|", str(text)).replace("\u202f", " ") for text in browser.run(script)]
    assert rows == [
        "cold start|internal|+456 ms|16 of 305 POST /orders, 0 then|each|all along",
        "payments.example.com|external|+674 ms|17 of 305 POST /orders|each · |likely|all along",
        "payments.example.com|external|3|POST /orders with status 502|failed",
        "In no finding|7,079 ms|7 of 600 requests|in all",
    ]
    browser.click("#finding-3")
    assert browser.text(".told") == (
        "Too few to tell: 6 requests for retries of DynamoDB orders (1,056 ms), "
        "1 request for DynamoDB GetItem orders (26 ms)."
    )
    browser.click("#finding-1")
    assert browser.text(".next").split(" ")[1] == "Set"
    browser.click("#finding-0")
    assert browser.text(".next").split(" ")[1] == "Import"
    browser.click("#example-0")
    assert "cold start" in browser.text("#request")
    browser.click("#show-0")
    assert found(browser) == "16 of 600 requests"
    assert "finding=change%3A" in browser.address
    browser.show(browser.address)
    assert (found(browser), browser.text("#chosen b")) == ("16 of 600 requests", "16 of 600 chosen:")


def test_a_mark_without_spans_is_hollow(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The legend says how many there are; its tip says it too."""
    monkeypatch.setattr("lambda_latency.page.values.ROOM", 60_000)
    path = tmp_path / "report.html"
    path.write_text(page_of([*firsts.three_classes(), *firsts.all_failed()]), encoding="utf-8")
    browser.show(path.as_uri())
    bare = browser.count(".chart .mark.bare")
    assert 0 < bare < browser.count(".chart .mark")
    assert f"without spans in this page ({bare})" in browser.text("#distribution")
    looks = (
        "return [...document.querySelectorAll('.chart circle.mark')]"
        ".map((one) => [one.matches('.bare'), getComputedStyle(one).stroke === 'none'])"
    )
    assert {tuple(look) for look in browser.run(looks)} == {(True, False), (False, True)}
    lines = "return getComputedStyle(document.querySelector('.chart .mark.error.bare')).strokeWidth"
    assert browser.run(lines) == "1px"


@pytest.mark.parametrize("view", ["time", "length"])
def test_a_border_is_drawn_where_one_duration_divides_the_slow(
    browser: Browser, page: Callable[[str], str], view: str
) -> None:
    """Slow requests of a fast route may take less time than usual ones of another: then there is none."""
    drawn = "return [...document.querySelectorAll('.chart .strong')].map((one) => one.textContent)"
    for state, border in (("shop", ["slow: 20 over 1,120\u202fms"]), ("rich", [])):
        browser.show(page(state))
        browser.click(f"#view-{view}")
        assert browser.run(drawn) == border
        assert browser.count(".chart .slow-ground") == len(border)


def test_the_flame_graph_is_of_all_requests_zooms_and_filters(rich: Browser) -> None:
    """Inner frames lie within outer ones; a click shows the requests that waited for it."""
    boxes = rich.run(
        "return [...document.querySelectorAll('.frame')].map((one) => one.getBoundingClientRect())"
        ".map((box) => [box.top, box.left, box.right])"
    )
    top = min(box[0] for box in boxes)
    outer = [box for box in boxes if box[0] == top]
    assert (
        abs(
            sum(end - start for _, start, end in outer)
            - rich.run("return document.querySelector('.flame').clientWidth")
        )
        < 1
    )
    for above, start, end in boxes:
        if above > top:
            assert any(abs(box[0] - above + 24) < 1 and box[1] <= start + 1 and end <= box[2] + 1 for box in boxes)
    rich.run("[...document.querySelectorAll('.frame')].find((one) => one.textContent.startsWith('payments')).click()")
    wide = "return [...document.querySelectorAll('.frame')].find((one) => one.textContent.startsWith('payments'))"
    assert abs(rich.run(f"{wide}.clientWidth - document.querySelector('.flame').clientWidth")) < 3
    rich.click(".flame-show")
    assert found(rich) == "71 of 120 requests"
    assert rich.text("#flame .says").startswith("The 71 chosen requests, by route")


def test_a_frame_that_the_search_finds_stays_as_readable(rich: Browser) -> None:
    """It has an outline, and the colour of its text is that of the others."""
    rich.click(".flame-tools input")
    rich.keys(*"charges")
    colours = (
        "return ['.frame.hit', '.frame:not(.hit)'].map((some) => [...new Set([...document.querySelectorAll(some)]"
        ".map((one) => getComputedStyle(one).color))])"
    )
    hit, plain = rich.run(colours)
    assert hit == plain
    assert rich.run("return getComputedStyle(document.querySelector('.frame.hit')).outlineWidth") == "2px"


def test_single_letters_can_be_switched_off(rich: Browser) -> None:
    """For people who dictate."""
    rich.keys("?")
    rich.click("#shortcuts")
    rich.click("#close-keys")
    rich.keys("/")
    assert rich.focused != "search"
    rich.click("#help")
    rich.click("#shortcuts")
    rich.click("#close-keys")
    rich.keys("/")
    assert rich.focused == "search"


def test_a_double_click_zooms_to_the_span_under_the_pointer(rich: Browser) -> None:
    """The details that the first click opens do not take the second."""
    rich.double_click("#span-5")
    assert rich.count("#whole") == 1
    assert "zoom=" in rich.address


def test_on_paper_it_is_one_light_page(rich: Browser) -> None:
    """Sentence, distribution, parts with their bars, one waterfall; no filter, no button, no dark ground."""
    rich.size(1200, dark=True)
    rich.print_media()
    counts = {name: rich.count(name) for name in ("#sentence", "#parts .fill", ".chart .mark", ".fall .waited")}
    assert [name for name, times in counts.items() if times == 0] == []
    assert rich.count(".filters, .buttons, .tools, #requests, #clear, .views") == 0
    style = "const style = getComputedStyle(document.documentElement);"
    assert rich.run(f"{style} return [style.backgroundColor, style.printColorAdjust]") == [
        "rgb(252, 252, 251)",
        "exact",
    ]
    assert rich.pages() == 1


def test_on_paper_a_chart_of_many_requests_has_its_bars(browser: Browser, page: Callable[[str], str]) -> None:
    """The cells of requests and the distribution beside them; without an open request there is no heading for it."""
    browser.show(page("thousand") + "#trace=none")
    shown = [browser.count(f".chart .{kind}") for kind in ("cell", "bar:not(.cell)")]
    assert min(shown) > 0
    browser.print_media()
    assert min(browser.count(f".chart .{kind}") for kind in ("cell", "bar:not(.cell)")) > 0
    assert (browser.count("#bar"), browser.count("#request")) == (0, 0)


def test_on_paper_a_comparison_is_one_page_too(browser: Browser, page: Callable[[str], str]) -> None:
    """With what changed above the parts."""
    browser.size(1200, dark=True)
    browser.show(page("changed"))
    browser.print_media()
    assert (browser.count(".chart .then"), browser.count("#parts .fill") > 0) == (1, True)
    assert browser.count("#change .flame") == 0
    assert browser.pages() == 1


def test_the_policy_lets_nothing_else_run_and_nothing_leave(rich: Browser) -> None:
    """A script, a style or a picture that is added later is refused."""
    refused = rich.run(
        """
        const script = document.createElement("script");
        script.textContent = "window.added = 1";
        document.head.append(script);
        const style = document.createElement("style");
        style.textContent = "h1 { color: red }";
        document.head.append(style);
        document.body.setAttribute("onclick", "window.added = 1");
        document.body.click();
        return [window.added ?? null, getComputedStyle(document.querySelector("h1")).color === "rgb(255, 0, 0)"];
        """
    )
    assert refused == [None, False]
    fetched = "fetch('https://example.com/').then(() => arguments[0](1), () => arguments[0](0))"
    assert rich.run(f"return new Promise((done) => (() => {{ {fetched.replace('arguments[0]', 'done')} }})())") == 0
    complaints = rich.console()
    assert len(complaints) >= 3
    assert all("Content Security Policy" in complaint or "violates" in complaint for complaint in complaints)


def test_every_stop_of_the_keyboard_can_be_seen(rich: Browser) -> None:
    """Tab goes through everything, and each stop has an outline or a mark of its own."""
    stops, bare = [], []
    for _ in range(80):
        rich.keys(Keys.TAB)
        name, outline = rich.run(
            "const one = document.activeElement; const style = getComputedStyle(one);"
            "return [one.tagName + '#' + one.id, style.outlineStyle !== 'none' || one.closest('svg') !== null]"
        )
        if name == "BODY#":
            break
        stops.append(name)
        if not outline:
            bare.append(name)
    assert bare == []
    assert {"A#", "BUTTON#example-0", "INPUT#search", "DIV#list", "DIV#fall", "BUTTON#help", "g#"} <= set(stops)
