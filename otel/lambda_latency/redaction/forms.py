"""Values that have no name right before them: by the words around them, by a short option, by their place in a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from lambda_latency.redaction.names import NO, PERHAPS, REDACTED, SECRET, compiled, secrecy
from lambda_latency.redaction.pairs import is_listed, is_option, is_placeholder
from lambda_latency.redaction.reading import SOURCE, B, Reading, Span
from lambda_latency.redaction.shapes import opaque

Q = r"""\\{0,8}["']"""
# `-p abc1`, `-pabc1`, `'-p', 'abc1'`, `-u ada:abc1`
BETWEEN = rf"(?:{Q},\s?{Q}|\s{{1,3}}(?:{Q})?|(?:{Q})?)"
LETTERS = "[pPwW]"
USERS = r"[uUaA]|-(?:proxy-)?user|-(?:[a-z]{1,20}-)?(?:auth|creds)"
ARGUMENT = (
    rf"-(?<![\w-]-)(?:(?:[pP]|[wW](?=[\s\\'\"])){BETWEEN}(?P<password>[^\s'\"`,;|&()\[\]\\]{{8,200}})|"
    rf"(?:{USERS})(?:=['\"]?|{BETWEEN})(?P<user>[^\s'\"`;|&()\\]{{3,200}}))"
)
USER_INFO = r"(?!\w{1,20}://)(?:\w[\w.@+-]{0,63}[:%,]|:)(?!/)(?P<password>.+)"
NUMBERS = r"[\d.:\[\]-]+(?:/\w+)?"
# Names with a number, versions, files, settings
ORDINARY = r"(?:[A-Z]?[a-z]*|[A-Z]+)[-_]?\d{0,4}(?:[.:@][\w.:-]*)?|.*[=/].*|[\d.:-]+"
NAME = r"[A-Za-z][\w.:-]{0,64}"

# By a text without which there is none. A value without a name goes, an `opaque` one if it looks like a secret.
FORMS = {
    # An entry whose value is before its name, and a field of a page
    "alue": (
        rf"""(?:value|content)(?:{Q})?\s?[:=]\s?(?:{Q})?(?P<value>[^\s"',}}<>\\]{{3,200}})(?:{Q})?(?:,|\s)\s?(?:{Q})?"""
        rf"""\w{{0,20}}(?:name|key|type)(?:{Q})?\s?[:=]\s?(?:{Q})?(?P<name>[\w./-]{{1,100}})"""
    ),
    # jsonschema has the value that it refuses at the beginning, too
    "failed validating": (
        r"(?m)^(?P<value>[^\n]{1,2000}?) (?:is|does|has)\b[^\n]{0,200}\n\nfailed validating [^\n]{1,200} in schema"
        r"(?P<name>[^\n]{1,300})"
    ),
    # Calls with a literal where the password is, after the name of the user
    "(": (
        r"(?:auth|login|authenticate|credentials?|bind_s|bind) ?\(\s{0,9}(?:'[^'\n]{1,80}'|[^()\n,]{1,80}),"
        rf"\s{{0,9}}[rbfu]?{Q}(?P<value>(?:(?!{Q}\s?[,)])[^\n]){{1,200}})"
    ),
    # A scheme of authorization with a token, whose words are those of sentences, too
    "": rf"(?:b{B}(?:earer|asic)|n{B}egotiate|t{B}oken)(?:\s['\"]?|\+)(?P<opaque>[\w+/=.~%-]{{6,}})",
    # A user with a password
    " ": (
        rf"(?:l{B}og(?:ged|ging|in)?[ -]?in|c{B}onnect\w{{0,6}}|a{B}uth\w{{0,12}}|b{B}asic)(?: (?:with|as|using|auth))"
        r" ['\"]?(?!arn:)[\w.@+-]{1,64} ?[:/] ?(?P<opaque>[^\s'\"]{6,})"
    ),
    # botocore's message does not say enough of a parameter's purpose: each value goes
    "for parameter": (
        r"(?m)invalid (?:type|length|range) for parameter [^,\n]{1,200}, value: (?!\d{1,9},|(?:true|false|none),)"
        r"(?P<value>.*?)(?=, (?:type|valid)|$)"
    ),
    # Rows, parameters and values that drivers of databases quote, to the end of the line
    "[parameters: ": r"(?m)\[parameters: (?P<value>[^\n]+?)(?=\]?$)",
    "failing row": r"failing row contains (?P<value>.+)",
    "duplicate entry": r"duplicate entry (?P<value>.+)",
    "key (": rf"k{B}ey \([^)\n]{{1,200}}\)=(?P<value>.+)",
    "invalid input": r"invalid input (?:syntax|value) for [^:\n]{1,60}: (?P<value>.+)",
    # A code of OAuth
    "grant_type": rf"(?<![\w.-])code(?:{Q})?\s?[=:]\s?(?:{Q})?(?P<value>[^\s&,;}}\"'\\]{{6,}})",
    # Options of one letter
    "-": ARGUMENT,
}


def is_password(word: str) -> bool:
    """Whether an argument looks like a password: it is no number, name, file, address or setting."""
    return opaque(word) and any(map(str.isdigit, word)) and compiled(ORDINARY).fullmatch(word) is None


def is_user(word: str) -> bool:
    """Whether an argument is a user's name with a password, or looks like a password."""
    user = compiled(USER_INFO).fullmatch(word)
    if user is None or "://" in word or compiled(NUMBERS).fullmatch(word):
        return is_password(word)
    return not is_placeholder(user["password"])


TESTS: dict[str, Callable[[str], bool]] = {"value": bool, "opaque": opaque, "password": is_password, "user": is_user}


def forms(reading: Reading) -> Iterator[Iterator[Span]]:
    """Yield for each form the values in it."""
    for mark, pattern in FORMS.items():
        if mark in reading.lower:
            yield of_form(reading, pattern)


def of_form(reading: Reading, pattern: str) -> Iterator[Span]:
    """Yield the values in one form: by the name in it, by what they look like, or each."""
    has_name = "name" in compiled(pattern).groupindex
    for match in reading.matches(pattern, lower=True):
        level = level_of(reading.text[slice(*match.span("name"))]) if has_name else SECRET
        group = next(group for group, value in match.groupdict().items() if value is not None)
        start, end = match.span(group)
        test = opaque if level == PERHAPS else TESTS[group]
        if level and test(reading.text[start:end]) and not (pattern == ARGUMENT and reading.overlaps(SOURCE, start)):
            yield start, end, REDACTED


def level_of(path: str) -> int:
    """Return the level of the last name in a path such as `body.0.password` or `'data', 'password'`."""
    names = compiled(r"[^\W\d][\w/-]*").findall(path)
    return secrecy(names[-1]) if names else NO


def clean_list(members: Sequence[str]) -> list[str]:
    """Return the members of a list, without those that are secret by the member before them, or by their own option."""
    cleaned = [without_attached(member) for member in members]
    for index in range(1, len(members)):
        is_name_of_secret = members[max(0, index - 2)] == "get"  # `get secret orders-7`
        if not is_name_of_secret and is_value(members[index - 1].rstrip(":"), members[index]):
            cleaned[index] = REDACTED
    return cleaned


def without_attached(member: str) -> str:
    """Return a member without the password that is attached to its option or its name."""
    option = compiled(ARGUMENT).match(member)
    if option is not None:
        group = str(option.lastgroup)
        if TESTS[group](member[option.start(group) :]):
            return member[: option.start(group)] + REDACTED
    name, mark, value = member.partition("=")
    is_named = mark != "" and secrecy(name) == SECRET and len(value) > 2 and not is_placeholder(value)
    return f"{name}={REDACTED}" if is_named else member


def is_value(name: str, value: str) -> bool:
    """Whether a member is the secret of the option, the header or the variable before it."""
    if value.startswith("-") or is_placeholder(value):
        return False
    option = name[1:] if name[:1] == "-" else ""
    is_after_letter = compiled(LETTERS).fullmatch(option) is not None and is_password(value)
    if is_after_letter or (compiled(USERS).fullmatch(option) and is_user(value)):
        return True
    word = name.lstrip("-/")
    is_secret = is_option if len(word) < len(name) else is_listed
    return compiled(NAME).fullmatch(word) is not None and is_secret(word, value)
