"""API Gateway's mapping templates, in ministack's Python: Velocity by airspeed, JSONPath by python-jsonpath.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

import base64
import json
import re
from typing import Any
from urllib.parse import quote_plus, unquote_plus

ESCAPES = {"\\": "\\\\", '"': '\\"', "'": "\\'", "/": "\\/", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b"}


NEVER = re.compile("(?!)")
NAME = r"[A-Za-z_]\w*(?:-[A-Za-z_]\w*)*"
REFERENCE = re.compile(r"\$!?\{?(input|util)\.(\w+)")


class MappingError(Exception):
    """A template that cannot be evaluated, with the reason."""


class Flag(int):
    """A boolean that is written as in Java."""

    def __str__(self) -> str:
        return "true" if self else "false"


class Input:
    """The variable `$input`. `params` has the parameters by `path`, `querystring` and `header`.

    A template may change what `path` returns: `json` and later calls of `path` see it.
    """

    def __init__(self, body: str, params: Any) -> None:
        self.body, self._params = body, params
        try:
            self._data = as_java(json.loads(body))
        except ValueError:
            self._data = body or {}

    def json(self, path: str) -> str:
        """What JSONPath finds in the body, in JSON; empty if that is nothing."""
        result = of_java(self.path(path))
        return "" if result is None else json.dumps(result, separators=(",", ":"), ensure_ascii=False)

    def params(self, name: Any = None) -> Any:
        """The value of a parameter, of the path, the query or a header in this order; without a name, all of them."""
        if name is None:
            return {"path": {}, "querystring": {}, "header": {}, **self._params}
        for kind in ("path", "querystring"):
            if name in self._params.get(kind, {}):
                return self._params[kind][name]
        headers = {key.lower(): value for key, value in self._params.get("header", {}).items()}
        return headers.get(str(name).lower(), "")

    def path(self, path: str) -> Any:
        """What JSONPath finds in the body."""
        import jsonpath

        query = jsonpath.compile(path)
        results = query.findall(self._data)
        return results if not query.singular_query() else results[0] if results else None


class Util:
    """The variable `$util`."""

    escapeJavaScript = staticmethod(lambda text: "".join(ESCAPES.get(letter, letter) for letter in written(text)))
    parseJson = staticmethod(lambda text: as_java(json.loads(text)))
    urlEncode = staticmethod(lambda text: quote_plus(written(text), safe="*"))
    urlDecode = staticmethod(lambda text: unquote_plus(written(text)))
    base64Encode = staticmethod(lambda text: base64.b64encode(written(text).encode()).decode())
    base64Decode = staticmethod(lambda text: base64.b64decode(written(text)).decode(errors="replace"))


def unknown_references(template: str) -> list[str]:
    """Return the functions of `$input` and `$util` in a template that API Gateway does not have, in their order."""
    functions = {"input": {"body", "json", "path", "params"}, "util": {*vars(Util)}}
    return [match[0] for match in REFERENCE.finditer(template) if match[2] not in functions[match[1]]]


def rendered(template: str, body: str, params: Any, context: Any, variables: Any) -> str:
    """Evaluate a template. Raises `MappingError` if it is not understood."""
    import airspeed
    import jsonpath

    for literal in (airspeed.StringLiteral, airspeed.InterpolatedStringLiteral):
        # Unlike airspeed, Velocity keeps the backslashes of a string
        literal.ESCAPED_CHAR = NEVER
    # Velocity's names may have hyphens, as those of headers
    airspeed.NameOrCall.NAME = re.compile(f"({NAME})", re.ASCII)
    airspeed.SetDirective.PLACE = re.compile(rf"\s*\$({NAME}(?:\.{NAME})*)", re.ASCII)
    if unknown := unknown_references(template):
        raise MappingError(f"{unknown[0]} is unknown")
    namespace = {"input": Input(body, params), "util": Util(), "context": context, "stageVariables": variables}
    try:
        return str(airspeed.Template(template).merge(namespace))
    except (
        airspeed.TemplateError,
        jsonpath.JSONPathError,
        ArithmeticError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        raise MappingError(f"{type(error).__name__}: {error}") from error


def as_java(value: Any) -> Any:
    """Return a value of JSON whose booleans are written as in Java."""
    if isinstance(value, bool):
        return Flag(value)
    if isinstance(value, dict):
        return {name: as_java(member) for name, member in value.items()}
    return [as_java(member) for member in value] if isinstance(value, list) else value


def of_java(value: Any) -> Any:
    """Return a value whose booleans are those of Python, the inverse of `as_java`."""
    if isinstance(value, dict):
        return {name: of_java(member) for name, member in value.items()}
    if isinstance(value, list):
        return [of_java(member) for member in value]
    return bool(value) if isinstance(value, Flag) else value


def written(value: Any) -> str:
    """Return the text of an argument."""
    return "" if value is None else str(value)
