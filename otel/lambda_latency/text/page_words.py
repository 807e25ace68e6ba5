"""The words of the page's pictures and tables, where numbers are filled in by the browser.

`{n}` is filled in; `{n|request|requests}` is a number with the noun that fits it.
"""

from __future__ import annotations

__all__ = ["PAGE_WORDS"]

PAGE_WORDS = {
    # The parts of chosen requests and of the rest.
    "parts.slow": "Where the time goes: slow against typical",
    "parts.chosen": "Where the time goes: the chosen requests against the rest",
    "parts.means": "Where the time goes",
    "parts.of_slow": "A slow request takes {slow}, a typical one of the same route {typical}.",
    "parts.of_chosen": "The chosen requests ({few}) take {chosen} on average, the rest ({others}) {rest}.",
    "parts.between": "Of the {difference} between them, {shares}.",
    "parts.of_one": "Of {whole}: {shares}.",
    "parts.of_all": "Of {whole}, the mean of all requests: {shares}.",
    "parts.more": "{n|more part|more parts}: {typical} of a typical request, {slow} of a slow one",
    "parts.fewer": "Fold the small parts",
    "parts.show": "Show the requests that waited for it",
    "parts.errors": "{n|error|errors}",
    "parts.throttled": "{n} throttled",
    "part": "Part",
    "owner": "Owner",
    "typical": "Typical",
    "slow": "Slow",
    "chosen": "Chosen",
    "rest": "Rest",
    "difference": "Difference",
    "share": "Share",
    "calls": "Calls",
    "trouble": "Trouble",
    "time": "Time",
    "mean": "Mean",
    "longer": "longer",
    "shorter": "shorter",
    # What else differs.
    "differs": "What else differs",
    "differs.what": "What",
    "differs.others": "Others",
    "differs.none": "Nothing else differs by more than chance.",
    "differs.few": "Too few requests ({n}) to say what else differs.",
    "differs.read": "Attributes are those of {n|request|requests}.",
    "differs.same": "the same requests: {names}",
    "differs.more": "{n} more",
    "differs.show": "Show these requests",
    # Flame graphs, and what changed.
    "flame.title": "What requests wait for, level by level",
    "flame.says": (
        "Width is the mean wait of all requests, below each span what it waited for. "
        "Red is where slow requests waited longer than others."
    ),
    "flame.wait": "{mean} a request, {share} of all time",
    "flame.slow": "slow requests {more}",
    "flame.show": "show the requests that waited for {part}",
    "change.title": "What changed",
    "change.then": "then",
    "change.now": "now",
    "change.distribution": "How long requests took then and now, on a logarithmic axis.",
    "change.same": "{n|part|parts} without a difference",
    "change.what": "What",
    "change.kind": "Kind",
    "change.flame": "What requests wait for, then and now",
    "change.flame_says": (
        "Width is the mean wait of a request, the longer one of then and now. Red takes longer now, blue takes less."
    ),
    "change.frame": "{before} then, {now} now: {more}",
    # What if, and what is carried away.
    "whatif.title": "What if a part took no time",
    "whatif.together": "Without what is ticked: p95 {p95} \u2192 {best} at best. The pictures below show what is left.",
    "carry.sentence": "Copy the sentence",
    "carry.markdown": "Copy as Markdown",
    "carry.link": "Copy a link to this view",
    "carry.picture": "Save a picture",
    "carry.copied": "Copied",
    "carry.selected": "Selected: Ctrl+C copies it",
    "carry.text": "Text to copy",
    # One request.
    "request.spans": "Spans of the request",
    "request.span": "Span",
    "request.waited": "Waited",
    "request.took": "Took",
    "request.repeats": "{n} \u00d7 {name}",
    "request.fold": "Fold",
    "request.unfold": "Unfold",
    "request.after": "after the response",
    "request.open": "left open",
    "request.search": "Search spans: names, attributes",
    "request.found": "{n} of {all|span|spans}",
    "request.path_only": "Critical path only",
    "request.overview": "The critical path, {took}{typical}. Drag to zoom.",
    "request.overview_twin": "; below it that of a typical request of the route, {took}",
    "request.twin": "Against a typical request of the same route",
    "request.twin_says": "It took {took}, the typical one {typical}.",
    "request.twin_same": "It took {took}, the typical one {typical}; no call differs.",
    "request.open_twin": "Open the typical one",
    "request.this": "This one",
    "request.typical": "Typical",
    "request.call": "Waited for",
    # Requests by start and by length.
    "map.title": "How long requests took",
    "map.marks": (
        "One mark is one request. The colour of a slow request shows the part that it waited for longer than a "
        "typical request does."
    ),
    "map.many": ("The colour of slow requests shows the part that they waited for longer than typical requests do."),
    "map.time": "By start (UTC) and length; drag across both to choose requests, or move the handles by arrow keys.",
    "map.length": "Drag across the chart to choose requests, or move its two handles with the arrow keys.",
    "map.view.time": "Over time",
    "map.view.length": "By length",
    "map.picture": "Picture",
    "map.says": "Times of {n|request|requests} by start and length (logarithmic), with the distribution of lengths.",
    "map.from": "Shortest time",
    "map.to": "Longest time",
    "map.since": "Earliest start",
    "map.until": "Latest start",
    "map.slow": "slow: {n} over {over}",
    "map.cell": "{n|request|requests}, {slow} slow",
    "map.most": "most of it: {part}",
    "map.at": "at {clock} UTC",
    "map.slow_for": "Slow for:",
}
