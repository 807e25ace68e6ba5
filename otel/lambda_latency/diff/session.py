"""Session files: requests and events that are sent to each side again, in their order.

A value of an answer that a later request repeats, such as an id, has a name, `{{order_id}}`; `{{round}}` is the number
of the round, because each side gets a session several times.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from lambda_latency.files import replace_files, unwritable
from lambda_latency.local import FunctionCall, HttpCall, LocalError, System, UsageError, load_calls, with_credentials

NAME = re.compile(r"\{\{(\w+)\}\}")
SHORTEST = 6  # characters of a named value: shorter texts repeat by chance
RECORDED = ("accept", "content-type")  # headers; others are the client's, or may be secrets


class SessionCall(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """A request, `METHOD PATH`, or the invocation of a function by its key.

    `api` is the key of an API if several have the route, `body` a text or a JSON value. `names` has the places of named
    values in the JSON answer, such as `items.0.id`; `status` is that of the recorded answer.
    """

    request: str = ""
    invoke: str = ""
    api: str = ""
    headers: dict[str, str] = {}
    body: Any = None
    event: Any = None
    status: str = ""
    names: dict[str, str] = {}

    @property
    def text(self) -> str:
        """The body as it is sent."""
        return self.body if isinstance(self.body, str) else json.dumps(self.body)


class SessionFile(msgspec.Struct, forbid_unknown_fields=True):
    """The content of a session file."""

    calls: list[SessionCall]


def read_session(path: Path) -> list[SessionCall]:
    """Read the calls of a session file. Raises `UsageError` if it is missing or invalid."""
    try:
        calls = msgspec.json.decode(path.read_bytes(), type=SessionFile).calls
        for call in calls:
            if bool(call.invoke) == (" /" in call.request):
                mistake = 'neither a request, "GET /PATH", nor a function to "invoke"'
                raise msgspec.ValidationError(f"{mistake}: {call.request or call.invoke}")
        if not calls:
            raise msgspec.ValidationError("it has no call")
    except (OSError, msgspec.DecodeError) as error:
        mistake = f"{path} is no session of requests: {getattr(error, 'strerror', None) or error}"
        raise UsageError(mistake, f"record one: lambda-latency serve --record {path}") from error
    return calls


def sample_calls(system: System) -> list[SessionCall]:
    """Return the calls of an app without a session: its example events, and its routes that read."""
    return [
        SessionCall(invoke=call.key, event=json.loads(call.event))
        if isinstance(call, FunctionCall)
        else _request(call.method, call.path, call.headers, call.body or "", call.api)
        for call in load_calls(system)
    ]


def _request(method: str, path: str, headers: Iterable[tuple[str, str]], body: str, api: str = "") -> SessionCall:
    try:  # a JSON object stays one, which people can read
        content = json.loads(body)
    except ValueError:
        content = None
    retained = {name: value for name, value in headers if name.lower() in RECORDED and value != "*/*"}
    is_document = isinstance(content, dict | list)
    return SessionCall(f"{method} {path}", "", api, retained, content if is_document else body or None)


def prepared(call: SessionCall, names: Mapping[str, str], system: System) -> HttpCall | FunctionCall | None:
    """Return a call with the values of its names; None for a request to an app without an API."""
    if call.invoke:
        return FunctionCall(call.invoke, filled(json.dumps(call.event), names).encode())
    method, _, path = filled(call.request, names).partition(" ")
    matching = [route.api for route in matching_routes(call, system)]
    apis = [api for api in (*matching, *system.urls) if api in system.urls and call.api in ("", api)]
    if not apis:
        return None
    headers = tuple((name, filled(value, names)) for name, value in call.headers.items())
    body = None if call.body is None else filled(call.text, names)
    return with_credentials(HttpCall(apis[0], method, path, headers, body), system)


class MatchingRoute(NamedTuple):
    """A route that matches a request, with the keys of its API and its function."""

    name: str
    api: str
    function: str


def matching_routes(call: SessionCall, system: System) -> list[MatchingRoute]:
    """Return the routes that match a request."""
    method, _, path = call.request.partition("?")[0].partition(" ")
    apis = [api for api in system.app.apis if call.api in ("", api.key)]
    names = [(name, api) for api in apis for name in api.matching(method, path)]
    return [MatchingRoute(name, api.key, api.routes[name].function) for name, api in names]


def filled(text: str, names: Mapping[str, str]) -> str:
    """Return a text with the values of its names."""
    return NAME.sub(lambda match: names.get(match[1], match[0]), text)


def named_values(call: SessionCall, answer: bytes) -> dict[str, str]:
    """Return the values of the names that an answer has."""
    texts = dict(_texts(answer)) if call.names else {}
    return {name: texts[path] for name, path in call.names.items() if path in texts}


def _texts(answer: bytes) -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each text in an answer of JSON."""
    try:
        stack = [("", json.loads(answer))]
    except ValueError:
        return
    while stack:
        place, value = stack.pop()
        if isinstance(value, str):
            yield place, value
        members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        stack += [(f"{place}.{key}".lstrip("."), member) for key, member in members]


class SessionRecorder:
    """Records calls with their answers, and writes the file after each. Raises `LocalError` if it cannot be written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._calls: list[SessionCall] = []
        self._sent = ""  # by all calls: what an answer repeats is no value of the answer
        self._known: dict[str, tuple[SessionCall, str]] = {}  # by value of an answer: its call, and its place there
        self._names: dict[str, str] = {}  # by value
        self._write()

    def add_request(
        self, method: str, path: str, headers: Iterable[tuple[str, str]], body: bytes, status: int, answer: bytes
    ) -> None:
        """Record a request with its answer."""
        self._add(_request(method, path, headers, body.decode(errors="replace")), str(status), answer)

    def add_invocation(self, function: str, event: bytes, status: str, answer: bytes) -> None:
        """Record the invocation of a function by its key."""
        self._add(SessionCall(invoke=function, event=json.loads(event)), status, answer)

    def _add(self, call: SessionCall, status: str, answer: bytes) -> None:
        self._sent += json.dumps([call.request, call.body, call.event])
        call.status, call.request = status, self._with_names(call.request)
        call.body, call.event = json.loads(self._with_names(json.dumps([call.body, call.event])))
        for place, value in _texts(answer):
            if len(value) >= SHORTEST and value not in self._sent:
                self._known.setdefault(value, (call, place))
        self._calls.append(call)
        self._write()

    def _with_names(self, text: str) -> str:
        for value in sorted(self._known, key=len, reverse=True):
            if value in text:
                text = text.replace(value, f"{{{{{self._name(value)}}}}}")
        return text

    def _name(self, value: str) -> str:
        """Return the name of a value: its field in the answer, with a number if another value has that name."""
        if value not in self._names:
            call, place = self._known[value]
            field = re.sub(r"\W", "_", place.rpartition(".")[2])
            taken = sum(name == field or name.startswith(f"{field}_") for name in self._names.values())
            self._names[value] = name = f"{field}_{taken + 1}" if taken else field
            call.names = {**call.names, name: place}
        return self._names[value]

    def _write(self) -> None:
        try:
            document = msgspec.json.format(msgspec.json.encode(SessionFile(self._calls)), indent=1)
            replace_files([(self._path, document.decode() + "\n")])
        except OSError as error:
            raise LocalError(unwritable(self._path, error), "name another file with --record") from error
