"""Values after their names in structured texts: JSON, reprs, headers, variables, markup, arguments, validators."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lambda_latency.redaction.names import NO, PERHAPS, QUERIES, REDACTED, SECRET, compiled, secrecy, words
from lambda_latency.redaction.reading import Reading, Span
from lambda_latency.redaction.shapes import UUID, opaque

Part = tuple[int, int]

LONGEST = 160  # characters of a value that is looked at to tell what it is; a longer one is no word and no placeholder
QUOTES = "\"'`"
CLOSING = {"{": "}", "[": "]", "(": ")"}

# Words that are not a value, and words that follow in a sentence about a token.
NOTHING = words("""
    none null nil true false undefined str string int integer bool boolean bytes float object dict list any optional
    basic bearer digest oauth oauth2 iam aws_iam sigv4 hmac secret password token key required optional missing yes no
    enabled disabled success failed unset
""")
PROSE = words("""
    expected unexpected must is was not no missing required invalid expired unknown cannot can could should too at
    the a an this value field bad wrong malformed empty failed error denied unable only already does doesn't has
    have got in on of for from to and or with without access permission token signature key password secret default def
    found ok enter please new await changed updated accepted rejected
""")
TO_LINE_END = ("authorization", "cookie", "cookies", "set-cookie", "passphrase", "mnemonic", "phrase", "-signature")
HEADERS = words("authorization proxy-authorization cookie set-cookie")

# A name, which `re` matches as a whole and never in part, and the characters between it and its value.
PAIR = (
    r"""(?<![\w$.])(?<!nexpected )(?=((?:(?:[Ss]eed|[Rr]ecovery|[Ss]ecurity) )?\w[\w.$-]{0,80}))\1"""
    r"""(\\{0,8}["'`”]?(?:\[\d{0,3})?[\])*]{0,2}(?:[ \t]{4,40}|\s{0,3})"""
    r"""(?:=>|->|(?<=-)>|→|[:?]{0,3}={1,3}|!=|[:\uff1a\uff1d,])(?:[ \t]{5,40}|\s{0,4}))"""
)
# Written forms of a value, with its name if that decides, by a text without which there is none. They are searched in
# the lower-case text. Without a group `value`, the value follows `end`.
Q = r"""\\{0,8}["']"""
LINE_END = r"(?:\r?\n|\\{1,8}r\\{1,8}n)"
FORMS = {
    # `{"name": "password", "value": "hunter2"}` with up to three entries between, `<add key="password" value="x"/>`
    "v": (
        rf"""(?:name|key|type|\bk)(?:{Q})?\s?[:=]\s?{Q}(?P<name>[\w./-]{{1,100}}){Q}"""
        rf"""(?=(?:(?:\s{{0,80}},\s{{0,80}}{Q}\w{{1,40}}{Q}\s?:\s?(?:{Q})?[\w./:-]{{0,100}}(?:{Q})?){{0,3}}?"""
        rf"""\s{{0,80}},\s{{0,80}}{Q}\w{{0,20}}(?:value|val|v){Q}\s?:(?:\s?\{{{Q}s{Q}:)?|"""
        rf"""\s{{1,80}}\w{{0,20}}(?:value|content)\s{{0,3}}=)\s{{0,9}}(?P<end>))"""
    ),
    # `- name: PASSWORD\n  value: hunter2` and `name=password,value=hunter2`
    "value": (
        r"(?:name|key):?[ =]{1,2}(?P<name>[\w./-]{1,100})"
        r"(?:\s{0,9}(?:\r?\n|\\{1,8}n)\s{1,80}value:\s{1,4}|[,&]\w{0,20}value=)(?P<end>)"
    ),
    # An entry whose value is before its name, and a field of a page
    "alue": (
        rf"""(?:value|content)(?:{Q})?\s?[:=]\s?(?:{Q})?(?P<value>[^\s"',}}<>\\]{{3,200}})(?:{Q})?(?:,|\s)\s?(?:{Q})?"""
        rf"""\w{{0,20}}(?:name|key)(?:{Q})?\s?[:=]\s?(?:{Q})?(?P<name>[\w./-]{{1,100}})"""
    ),
    # A part of a form
    "form-data": (
        rf"""name=\\{{0,8}}"(?P<name>[\w.\[\]-]{{1,100}})\\{{0,8}}"{LINE_END}"""
        rf"""(?:[\w-]{{1,40}}: [^\r\n\\]{{0,200}}{LINE_END}){{0,5}}{LINE_END}(?P<value>[^\r\n\\]+)"""
    ),
    # `<item name="token">a1</item>`, `<key>token</key><string>a1</string>`, `<token>a1</token>`
    "=": r"""(?:name|key)=["'](?P<name>[\w./-]{1,100})["'][^<>]{0,200}(?<!/)>(?P<value>[^<>]+)""",
    "</": (
        r"(?:name|key)>(?P<name>[\w./-]{1,100})</[\w:.-]{1,40}>\s{0,80}(?:<[^<>/]{1,80}>\s{0,80}){1,2}(?P<value>[^<>]+)"
    ),
    "<": r"<(?:\w{1,40}:)?(?P<name>\w[\w.-]{0,80})(?:\s[^<>]{0,400})?>(?:<!\[cdata\[)?(?P<value>[^<>]+)",
    # The fields that pydantic, FastAPI and Powertools refuse, with the value that they quote
    "input_value=": (
        r"(?m)(?:^|\\n)(?P<name>\w[\w.\[\]-]{0,200})(?:\n|\\{1,8}n)  (?![^\n]{0,500}\[type=missing)[^\n]{0,500}?"
        r", input_value=(?P<value>[^\n]*?)(?=, input_type=|\]?$)"
    ),
    "loc": (
        r"""["']loc["']: [(\[](?P<name>[^)\]]{1,200})[)\]][^\n]{0,300}?["']input["']: """
        r"""(?P<value>(["'])(?:(?!\3)[^\\\n]|\\.){0,2000}\3|(?!null\b|none\b)[^\s,}]+)"""
    ),
    ", data: ": r"path: \[(?P<name>[^\]\n]{0,200})\], data: (?P<value>.*)",
    # jsonschema has the value that it refuses at two places
    "failed validating": (
        r"(?m)^(?P<value>[^\n]{1,2000}?) (?:is|does|has)\b[^\n]{0,200}\n\nfailed validating [^\n]{1,200} in schema"
        r"(?P<name>[^\n]{1,300})"
    ),
    "on instance": r"\non instance(?P<name>[^\n]{1,200}):\n    (?P<value>[^\n]+)",
    # Calls with a literal where the password is, after the name of the user
    "(": (
        r"(?:auth|login|authenticate|credentials?|bind_s|bind) ?\(\s{0,9}"
        r"(?:'[^'\n]{1,80}'|[^()\n,]{1,80}),\s{0,9}(?P<end>)(?=[rbfu]?\\{0,8}['\"])"
    ),
    # A scheme of authorization with a token, whose words are those of sentences, too
    "": r"\b(?P<scheme>bearer|basic|negotiate|token)(?:\s['\"]?|\+)(?P<value>[\w+/=.~%-]{6,})",
    # botocore's message does not say enough of a parameter's purpose: each value goes
    "invalid ": (
        r"(?m)invalid (?:type|length|range) for parameter [^,\n]{1,200}, value: (?!\d{1,9},|(?:true|false|none),)"
        r"(?P<value>.*?)(?=, (?:type|valid)|$)"
    ),
    # Parameters and rows that drivers of databases quote
    "[parameters": r"(?s)\[parameters: (?P<value>.*?)(?=\]\s{0,9}(?:\n|\(background|\Z)|\Z)",
    "key (": r"(?m)\bkey \([^)]{1,200}\)=(?P<value>\(.{0,300}?\)(?= already| is not| is still|\s{0,9}$))",
    "failing row": r"failing row contains (?P<value>\(.*)",
    "duplicate entry": r"duplicate entry (?P<value>'.{0,300}?')(?= for key)",
    "invalid input": r"invalid input (?:syntax for|value for) [^:\n]{1,60}: (?P<value>\".{0,300}?\")",
    # A code of OAuth
    "grant_type": rf"(?<![\w.-])code(?:{Q})?\s?[=:]\s?(?:{Q})?(?P<value>[^\s&,;}}\"'\\]{{6,}})",
}
END = r"(?:\r?\n|\\{1,8}n)"
LINES = (
    rf"[|>][+-]?\d? {{0,9}}{END}([ \t]{{1,80}})((?:[^\r\n\\]|\\(?!n))+"
    rf"(?:{END}(?:\1(?:[^\r\n\\]|\\(?!n))+|[ \t]{{0,80}}(?={END})))*)"
)
BARE = (
    r"""(?:[^\s;&,)\]}]|,(?!\\{0,8}["']?[\w.-]{1,80}\\{0,8}["']?[=:])|"""
    r"""[)\]}](?![)\]},"'`>\\]{0,8}(?:[\s;&]|$)))+"""
)
# Also code, versions, paths and messages of validators, such as `This field is required.`
STAND_INS = (
    r"\$?\{\{? ?[\w.]* ?\}?\}|\$\{[^{}\s]*\}?|\$\([^)]*\)?|\[[A-Z_ ]+\]|%\(?\w*\)?[sdr]|[:$@]\w+|[*x.•_?-]*|"
    r"<[\w .%=@-]+>?|\[redacted\].*|"
    r"Bearer|Basic|[a-z_.]{4,}(?:\((?:[\w.]*|['\"][A-Za-z_/-]*)|\[['\"]\w+)|(?:var|local|self|settings|config)\.[a-z_.]+|"
    r"v?\d{1,3}(?:\.\d{1,3}){1,3}|(?:/[a-z_.-]+){2,}|(?i:\[?(?:\w+\(\w+=)?['\"]?(?:[a-z]+ ){0,3}(?:is|are|must|may|"
    r"can|cannot|should|has|do|does|too|not|missing)\b[\w ,'.-]{0,80}\b(?:required|blank|empty|short|long|weak|common|"
    r"valid|invalid|least|most|match|contain|similar|null|missing|incorrect|characters?|expired|string)\b"
    r"[\w ,'.-]{0,60}['\"]?(?:, code='\w+'\))?\]?)"
)
QUOTED = r"@?[rRbBuUfF]{0,2}(\\{0,8})(\"\"\"|\'\'\'|[\"'`])"
LINE = r"(?:Digest|OAuth|Signature|Hawk)\s[^\r\n]+|[^\r\n\"'`]+"
TYPED = r"\s{0,9}[\w.\[\]| ]{1,40}?\s?=\s?(?=[rbfuRBFU]{0,2}[\"'\d])"
PART = r"(?:id|src|type|name|env|file)=.*|none|null|true|false"  # of the secret of a build, which is in a file
OPAQUE = r"[\w.+/=-]{6,}"
SCHEMES = r"(?i)^(?:bearer|basic|token) (?=\S)"
FLAGS = ("no-", "use-", "with-", "manage-", "enable-", "show-", "allow-", "skip-", "require-")


def named(reading: Reading) -> Iterator[Span]:
    """Yield the values of secret names. In source lines only literals are values."""
    search, text = compiled(PAIR).search, reading.text
    ends = Ends(text)
    start = 0
    while (pair := search(text, start)) is not None:
        start = pair.end(1)
        reading.check(pair.start())
        level = secrecy(pair[1])
        if not level:
            continue
        source = reading.is_source(pair.start())
        part = value_of(text, pair, ends, source=source)
        if part is None or not is_secret_value(text, part, level, pair, source=source):
            continue
        start = min(part[1], reading.source_end(part[0])) if source else part[1]
        yield part[0], start, REDACTED


def forms(reading: Reading) -> Iterator[Iterator[Span]]:
    """Yield for each written form the values in it."""
    for mark, pattern in FORMS.items():
        if mark in reading.lower:
            yield of_form(reading, pattern)


def of_form(reading: Reading, pattern: str) -> Iterator[Span]:
    """Yield the values in one written form, those of secret names if it has a name."""
    text = reading.text
    for match in reading.matches_in_lower_case(pattern):
        level = PERHAPS if "scheme" in match.re.groupindex else SECRET
        if "name" in match.re.groupindex and (name := last_name(text[slice(*match.span("name"))])) != "SecureString":
            level = secrecy(name)
        if level == NO:
            continue
        if "value" in match.re.groupindex:
            part: Part | None = match.span("value")
        else:
            part = quoted(text, match.end("end")) or bare(text, match.end("end"))
        if part is not None and (level == SECRET or opaque(text[slice(*part)].strip("'\""))):
            yield *part, REDACTED


def last_name(path: str) -> str:
    """Return the last name in a path such as `body.0.password` or `'data', 'password'`."""
    names = compiled(r"[^\W\d][\w/-]*").findall(path)
    return names[-1] if names else ""


class Ends:
    """Where values of a text end. What values share is found once: pairs of brackets, and the end of a long word."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._ends: dict[int, int] | None = None
        self._word = (0, 0)

    def bare(self, start: int) -> Part | None:
        """Return start and end of the word at `start`."""
        if self._word[0] <= start < self._word[1]:
            return start, self._word[1]
        word = bare(self._text, start)
        if word is not None:
            self._word = word
        return word

    def bracket(self, start: int) -> int:
        """Return the end of the list or the mapping at `start`: that of the text if it is not closed."""
        if self._ends is None:
            self._ends = {}
            opened: list[int] = []
            for match in compiled(r"[{}\[\]()]").finditer(self._text):
                if match[0] in CLOSING:
                    opened.append(match.start())
                elif opened:
                    self._ends[opened.pop()] = match.end()
        return self._ends.get(start, len(self._text))


def value_of(text: str, pair: re.Match[str], ends: Ends, *, source: bool) -> Part | None:
    """Return start and end of a name's value, without its quotes; None if it has none."""
    mark, start = pair[2], pair.end()
    prior = text[pair.start() - 1 : pair.start()]
    if "," in mark:
        return quoted(text, start) if mark[0] in "\\\"'`" and text[start : start + 2] not in ("'-", '"-') else None
    if mark == prior == ":" and "arn:" in text[max(0, start - 200) : start].rpartition(" ")[2]:
        return None
    if "!=" in mark and not source:
        return None
    to_line_end = pair[1].lower().endswith(TO_LINE_END)
    if ":" in mark and not to_line_end and (typed := compiled(TYPED).match(text, start)) is not None:
        start = typed.end()
    if text[start : start + 1] in CLOSING and (not source or text[start + 1 : start + 2] in QUOTES):
        return start, ends.bracket(start)
    if (part := quoted(text, start)) is not None:
        return part
    if source or to_line_end:
        match = compiled(r"\d{3,}" if source else LINE).match(text, start)
        return match.span() if match else None
    return ends.bare(start)


def quoted(text: str, start: int) -> Part | None:
    """Return start and end of a quoted text, perhaps with escaped quotes, perhaps cut, or of a block of YAML."""
    opening = compiled(QUOTED).match(text, start)
    if opening is None:
        lines = compiled(LINES).match(text, start)
        return lines.span(2) if lines else None
    escapes, quote, begin = len(opening[1]), opening[2], opening.end()
    end = text.find(quote, begin)
    while end >= 0:
        slashes = 0
        while text[end - slashes - 1] == "\\" and end - slashes > begin:
            slashes += 1
        if slashes <= escapes or (not escapes and slashes % 2 == 0):
            return begin, end - min(slashes, escapes)
        end = text.find(quote, end + 1)
    return begin, len(text)


def bare(text: str, start: int) -> Part | None:
    """Return start and end of a word, without the brackets and marks that close what surrounds it."""
    run = compiled(BARE).match(text, start)
    word = run[0].rstrip("\"'`,>\\") if run else ""
    return (start, start + len(word)) if word else None


def is_secret_value(text: str, part: Part, level: int, pair: re.Match[str], *, source: bool) -> bool:
    """Whether a value has to be redacted. Of a long one the beginning is looked at."""
    name, mark, value = pair[1], pair[2], text[part[0] : min(part[1], part[0] + LONGEST)]
    is_quoted = text[part[0] - 1 : part[0]] in tuple(QUOTES)
    if level == PERHAPS and not is_opaque_value(value):
        return False
    is_short = part[1] - part[0] < LONGEST
    if describes(value, name) or (is_short and (is_placeholder(value) or is_other(value, name))):
        return False
    if "," in mark:
        is_key = compiled(r"\\{0,8}[\"']\s?:").match(text, part[1]) is not None
        return not is_key and is_listed_value(text, value, pair, level)
    if len(value) < 3 and not is_quoted:
        return False
    if "→" in mark or (">" in mark and "=" not in mark):  # mostly prose, or a type
        return opaque(value)
    if level == PERHAPS:
        return True
    if source:
        return text[part[0] - 2 : part[0] - 1] not in ("f", "F") or has_fixed_text(value)
    # `Invalid token: unexpected end of input` only mentions one.
    return is_quoted or ":" not in mark or value.strip().lower().strip(".,!'") not in PROSE


def is_opaque_value(value: str) -> bool:
    """Whether a value looks like a secret, or a list or mapping has such a member."""
    if value[:1] not in CLOSING:
        return opaque(value)
    return compiled(r"\d").search(value) is not None and any(map(opaque, compiled(OPAQUE).findall(value)))


def is_listed_value(text: str, value: str, pair: re.Match[str], level: int) -> bool:
    """Whether the member of a list that follows a name is its value: after an option, or if it looks like a secret."""
    if text[pair.start() - 1 : pair.start()] == "-":
        return is_option(pair[1], value)
    if level != SECRET or is_header(pair[1], value):
        return False
    if any(opaque(word) or UUID.fullmatch(word) for word in value.split()):
        return True
    return len(value) > 2 and (pair[1].lower() in HEADERS or "-" in pair[1])


def is_option(name: str, value: str) -> bool:
    """Whether an option with this name has this value as its secret."""
    if name.lower().startswith(FLAGS) or name in QUERIES or compiled(PART).fullmatch(value) or is_placeholder(value):
        return False
    level = secrecy(name)
    return (level == SECRET and len(value) > 2) or (level != NO and opaque(value) and "/" not in value)


def is_header(name: str, value: str) -> bool:
    """Whether both are names of headers, in a list of such names."""
    return "-" in value and value.replace("-", "").isalpha() and (name.lower() in HEADERS or "-" in name)


def is_placeholder(value: str) -> bool:
    """Whether a text is no value: a word such as `null`, code, or a placeholder."""
    bare_value = compiled(SCHEMES).sub("", value.strip())
    if bare_value.lower() in NOTHING or compiled(STAND_INS).fullmatch(bare_value):
        return True
    return not any(map(str.isalnum, value))


def describes(value: str, name: str) -> bool:
    """Whether it is a mapping about the secret of this name: `{"type": "string", "minLength": 8}`."""
    keys = compiled(r"(\w+)\\{0,8}[\"']?\s?:").findall(value) if value[:1] == "{" else []
    return bool(keys) and all(secrecy(f"{name}_{key}") == NO for key in keys)


def is_other(value: str, name: str) -> bool:
    """Whether it is another name whose value follows, the working directory, a file, or the name of a secret."""
    if value.endswith(":") and secrecy(value[:-1]):
        return True
    if name == "secret":
        names_secret = secrecy(compiled(r"\d.*").sub("", value)) == SECRET
        return names_secret or compiled(PART).fullmatch(value) is not None
    return (name == "secret-id" and "/" in value) or (name.upper() in ("PWD", "OLDPWD") and value[:1] == "/")


def has_fixed_text(value: str) -> bool:
    """Whether an f-string holds a secret. `f"Bearer {token}"` does not."""
    fixed = compiled(r"\{[^{}]*\}|(?i:bearer|basic|token)").sub("", value)
    return "{" not in value or sum(map(str.isalnum, fixed)) > 5
