"""Values after the names of secrets: what follows a name is cut, unless it is clearly no value.

Between a name and its value may be a mark, the tag or the entry around the name, or the words of a sentence. After
words alone, a value must look like a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from lambda_latency.redaction.names import (
    NO,
    PERHAPS,
    QUERIES,
    REDACTED,
    SECOND,
    SECRET,
    compiled,
    is_uuid,
    secrecy,
    words,
)
from lambda_latency.redaction.reading import DIGITS, SOURCE, Reading, Span, end_of
from lambda_latency.redaction.shapes import opaque

Part = tuple[int, int]

LONGEST = 128  # characters of a value that are looked at to tell what it is; a longer one is no word and no placeholder
QUOTES = tuple("\"'`")
CLOSING = {"{": "}", "[": "]", "(": ")"}

# Words that are not a value, and words that follow in a sentence about a token.
NOTHING = words("""
    none null nil true false undefined str string int integer bool boolean bytes float object dict list any optional
    basic bearer digest oauth oauth2 iam aws_iam sigv4 hmac secret password token key required optional missing yes no
    enabled disabled success failed unset
""")
PROSE = words("""
    expected unexpected must is was not no missing required invalid expired unknown cannot can could should too at
    the a an this value field bad wrong malformed empty failed error denied unable only already does has have got in
    on of for from to and or with without access permission signature default identifier new
""")
TO_LINE_END = ("authorization", "cookie", "cookies", "passphrase", "mnemonic", "phrase", "-signature")
HEADERS = words("authorization proxy-authorization cookie set-cookie")

# A word that may be a name; the fields of an ARN are none. Its first letter comes first: `re` finds it in one loop.
NAME = r"\w(?:(?<=\ba)rn:(?:[\w*/.-]*:){5}(?:secret:)?|(?<![\w$.].)([\w.$-]{0,80}))"
Q = r"""\\{0,8}["'`”]"""
END = r"(?:\r?\n|(?:\\{1,8}r)?\\{1,8}n)"
# What may be between a name and its value, in lower case. `line`: validators quote a value in the rest of a line.
MARK = (
    rf"""(?P<line>{END}  (?![^\n]{{0,500}}type=missing)[^\n]{{0,500}}?, input_value=|{Q}\], data: |{Q}\]:\n    )|"""
    rf"""(?P<mark>(?:{Q})?(?:\[\d{{0,3}})?[\])*]{{0,2}}(?:[ \t]{{4,40}}|\s{{0,3}})"""
    r"""(?:=>|->|(?<=-)>|→|[:?]{0,3}={1,3}|!=|[:\uff1a\uff1d])(?:[ \t]{5,40}|\s{0,4})"""
    r"""(?:[\w.\[\]| ]{1,40}? = (?=[rbfu]{0,2}["'\d]))?)|"""
    # `"name": "password", "type": "text", "value": `, `<add key="password" value=`, `- name: PASSWORD\n  value: `
    rf"""(?P<entry>{Q}[)\]]?(?=\s{{0,80}},\s{{0,80}}{Q}\w{{1,40}}{Q}\s?:)[^{{}}<>]{{0,300}}?"""
    rf"""(?:value|content|val|\Wv|input|data){Q}\s?:\s?|{Q}\s{{1,80}}\w{{0,20}}(?:value|content)\s{{0,3}}=\s{{0,3}}|"""
    rf"""(?:\s{{0,9}}{END}\s{{1,80}}|[,&])\w{{0,20}}value[:=]\s{{0,4}})|"""
    rf"""(?P<part>{Q}{END}(?:[\w-]{{1,40}}: [^\r\n\\]{{0,200}}{END}){{0,5}}{END})|"""
    r"""(?P<tag></[\w:.-]{1,40}>\s{0,80}(?:<[^<>/]{1,80}>\s{0,80}){1,2})"""
)
TAG = rf"""(?P<tag>(?:{Q}[^<>]{{0,200}}|\s[^<>]{{0,400}})?(?<!/)>(?:<!\[cdata\[)?)"""
LISTED = rf"""{Q},\s?(?=b?{Q}(?!-))(?!b?{Q}[^"'\n]{{0,100}}{Q}\s?:)"""
OPTION = rf"""(?P<option>\s{{1,4}}(?![-&|\s])|{LISTED})"""
WORDS = (
    rf"""(?P<listed>{LISTED})|(?P<said>(?: (?:provided|entered|value|plain|login|mismatch: expected))?"""
    r"""(?: (?:for|of)(?: user)? ['\"]?[\w.@+-]{1,64}['\"]?(?=\s?[:=]|\s(?:is|was|changed|set|reset|to)\s))?"""
    r"""(?: (?:is|was))?(?: (?:changed|set|reset))?(?: (?:from|to))?(?:\s?\(|['\"]?\s?[:=]?\s{1,3})(?:b?['\"])?)"""
)
LISTING = "\\\"'`”"
SAID_WITHIN = 400  # characters, of the words and of the value after them
# Values that are no quoted text and no list, by what precedes them.
LINES = (
    rf"[|>][+-]?\d? {{0,9}}{END}([ \t]{{1,80}})((?:[^\r\n\\]|\\(?!n))+"
    rf"(?:{END}(?:\1(?:[^\r\n\\]|\\(?!n))+|[ \t]{{0,80}}(?={END})))*)"
)
VALUES = {
    "line": r"(?m)[^\n]*?(?=, input_type=|\]?$)",
    "tag": r"[^<>]+",
    "part": r"(?:[^\r\n\\]|\\(?![rn]))+",
    "said": r"[^\s'\"]{3,199}[^\s'\".,;!)]",
    "header": r"(?:Digest|OAuth|Signature|Hawk)\s[^\r\n]+|[^\r\n\"'`]+",
    "source": r"\d{3,}",
}
BARE = (
    r"""(?:[^\s;&,)\]}]+|,(?!\\{0,8}["']?[\w.-]{1,80}\\{0,8}["']?[=:])|"""
    r"""[)\]}](?![)\]},"'`>\\]{0,8}(?:[\s;&]|$)))+"""
)
QUOTED = r"@?[rRbBuUfF]{0,2}(\\{0,8})(\"\"\"|\'\'\'|[\"'`])"
# Code, versions, paths and messages of validators, such as `This field is required.`
STAND_INS = (
    r"(?:\$?\{[^{}\s\"':]*\}[:@ -]?)+|\$\{[^{}\s]*|\{\{ ?[\w.]* ?\}?\}?|\$\([^)]*\)?|\[[A-Z_ ]+\]|%\(?\w*\)?[sdr]|"
    r"[:$@]\w+|[*x.•_?-]*|<[\w .%=@-]+>?|\[redacted\].*|(?:/[a-z_.-]+){2,}|"
    r"Bearer|Basic|[a-z_.]{4,}(?:\((?:[\w.]*|['\"][A-Za-z_/-]*)|\[['\"]\w+)|(?:var|local|self|settings|config)\.[a-z_.]+|"
    r"v?\d{1,3}(?:\.\d{1,3}){1,3}|(?i:\[?(?:\w+\(\w+=)?['\"]?(?:[a-z]+ ){0,3}(?:is|are|must|may|"
    r"can|cannot|should|has|do|does|too|not|missing)\b[\w ,'.-]{0,80}\b(?:required|blank|empty|short|long|weak|common|"
    r"valid|invalid|least|most|match|contain|similar|null|missing|incorrect|characters?|expired|string)\b"
    r"[\w ,'.-]{0,60}['\"]?(?:, code='\w+'\))?\]?)"
)
# What follows in a sentence and is no value: a path, an algorithm, a call.
SPOKEN = r"[a-z_.-]+(?:/[a-z\d_.-]+)+|(?i:base64|sha\d+|md5|oauth2?|[rhe]s\d{3}|x509)(?:[-_/][a-z]+)*|.*(?:\(|=[^=]).*"
CODE = ("mark", "listed", "option", "said")
SCHEMES = r"(?i)^(?:bearer|basic|token) (?=\S)"


def named(reading: Reading) -> Iterator[Span]:
    """Yield what follows the names of secrets."""
    text, end = reading.text, 0
    prior, prior_end = "", -1
    for word in reading.matches(NAME):
        if word.lastindex is None:
            continue
        name, start = word[0], word.start()
        if start >= end and may_be_secret(name):
            prior = prior if prior_end == start - 1 else ""
            name, level = full_name(name, prior, text[start - 1 : start])
            gap = gap_after(reading, start, word.end()) if level else None
            part = secret_after(reading, gap, name, level, prior) if gap else None
            if part is not None:
                end = part[1]
                yield *part, REDACTED
        prior, prior_end = word[0], word.end()


@lru_cache(maxsize=2048)
def may_be_secret(name: str) -> bool:
    """Whether a name is that of a secret: by itself, with the word before it, or without its first letter."""
    return secrecy(name) != NO or name.lower().rstrip("-.") in SECOND or secrecy(name[1:]) != NO


def full_name(name: str, prior: str, mark: str) -> tuple[str, int]:
    """Return a name and its level: with the word before it if both make one, without the letter of an escape.

    `mark`: the character before the name, of which a backslash and the name's first letter may be an escape.
    """
    if prior and name.lower().rstrip("-.") in SECOND and secrecy(f"{prior}_{name}") == SECRET:
        return f"{prior}_{name}", SECRET
    level = secrecy(name)
    unescaped = secrecy(name[1:]) if mark == "\\" else NO
    return (name[1:], unescaped) if unescaped > level else (name, level)


def gap_after(reading: Reading, start: int, end: int) -> re.Match[str] | None:
    """Return what is between a name and its value; None if no value follows."""
    text, lower = reading.text, reading.lower
    if (gap := compiled(MARK).match(lower, end)) is not None:
        return gap
    tag = text.rfind("<", max(0, start - 200), start)
    is_open = tag >= 0 and text.find(">", tag, start) < 0 and text[tag + 1] != "/"
    if is_open and (gap := compiled(TAG).match(lower, end)) is not None:
        return gap
    if text[start - 1 : start] == "-" or text[max(0, start - 2) : start] == " /":
        return compiled(OPTION).match(lower, end)
    # A value that is said has a digit, and a list has quotes
    is_possible = text[end : end + 1] in LISTING or reading.overlaps(DIGITS, end, SAID_WITHIN)
    return compiled(WORDS).match(lower, end) if is_possible else None


def secret_after(reading: Reading, gap: re.Match[str], name: str, level: int, prior: str) -> Part | None:
    """Return start and end of the value after a name, if it is secret.

    The beginning of a value tells that. Its end is searched only then, so no text is gone through twice.
    """
    text, start = reading.text, gap.end()
    kind = kind_of(gap, name, is_source=reading.overlaps(SOURCE, start))
    if kind == "none" or (kind == "said" and prior.lower() == "get"):  # `get secret orders-7` names a secret
        return None
    window = text[start : start + LONGEST]
    is_list = level == PERHAPS and window[:1] in CLOSING
    if is_list and not reading.overlaps(DIGITS, start, LONGEST):
        return None  # of words
    part = value_at(window, kind)
    if part is None or not is_secret(window, part, gap, name, level):
        return None
    begin, end = value_at(text, kind, start) or part
    return begin, end


def kind_of(gap: re.Match[str], name: str, *, is_source: bool) -> str:
    """Return the kind of a value by what precedes it. In source lines only literals are values."""
    kind = str(gap.lastgroup)
    if is_source and kind in ("said", "option") and "," not in gap[0]:
        return "none"
    if kind != "mark":
        return kind
    if is_source:
        return "source"
    return "header" if name.lower().endswith(TO_LINE_END) else kind


def value_at(text: str, kind: str, start: int = 0) -> Part | None:
    """Return start and end of a value, without its quotes; None if there is none."""
    if kind not in ("line", "tag", "part", "said"):
        if text[start : start + 1] in CLOSING and (kind != "source" or text[start + 1 : start + 2] in QUOTES):
            return start, bracket_end(text, start)
        if (part := quoted(text, start)) is not None:
            return part
    run = compiled(VALUES.get(kind, BARE)).match(text, start)
    if run is None or kind in VALUES:
        return run.span() if run else None
    word = run[0].rstrip("\"'`,>\\")  # what closes the text around it
    return (start, start + len(word)) if word else None


def bracket_end(text: str, start: int) -> int:
    """Return the end of the list or the mapping at `start`: that of the text if it is not closed."""
    depth = 0
    for match in compiled(r"[{}\[\]()]").finditer(text, start):
        depth += 1 if match[0] in CLOSING else -1
        if depth == 0:
            return end_of(r"\w*", text, match.end(), LONGEST)
    return len(text)


def quoted(text: str, start: int) -> Part | None:
    """Return start and end of a quoted text, perhaps with escaped quotes, perhaps cut, or of a block of YAML."""
    opening = compiled(QUOTED).match(text, start)
    if opening is None:
        lines = compiled(LINES).match(text, start) if text.startswith(("|", ">"), start) else None
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


def is_secret(window: str, part: Part, gap: re.Match[str], name: str, level: int) -> bool:
    """Whether a value has to be redacted. `window`: the text from the value on; of a long one the beginning."""
    value, kind = window[slice(*part)], str(gap.lastgroup)
    if not is_likely(value, kind, name, level):
        return False
    if kind == "mark" and not is_marked(value, gap[0], is_quoted=window[part[0] - 1 : part[0]] in QUOTES):
        return False
    if is_about(value, name) or (part[1] < LONGEST and is_placeholder(value, is_code=kind in CODE)):
        return False
    tests = {"listed": is_listed, "option": is_option}
    return kind not in tests or tests[kind](name, value)


def is_likely(value: str, kind: str, name: str, level: int) -> bool:
    """Whether a value looks like a secret, where its name or the words before it do not suffice."""
    if kind == "said" and not is_said(value, name, level):
        return False
    return level == SECRET or is_opaque_value(value)


def is_marked(value: str, mark: str, *, is_quoted: bool) -> bool:
    """Whether a value after a mark is secret: `Invalid token: unexpected end of input` only mentions one."""
    if len(value) < 3 and not is_quoted:
        return False
    if "→" in mark or (">" in mark and "=" not in mark):  # mostly prose, or a type
        return opaque(value)
    return is_quoted or ":" not in mark or value.strip().lower().strip(".,!'") not in PROSE


def is_listed(name: str, value: str) -> bool:
    """Whether the member of a list after a name is its value: after a header's name, or if it looks like a secret."""
    is_header = name.lower() in HEADERS or "-" in name
    if secrecy(name) != SECRET or (is_header and "-" in value and value.replace("-", "").isalpha()):
        return False
    if is_header:
        return len(value) > 2 and secrecy(value) != SECRET
    return any(opaque(word) or is_uuid(word) for word in value.split())


def is_option(name: str, value: str) -> bool:
    """Whether an option with this name has this value as its secret."""
    level = secrecy(name)
    if name in QUERIES or level == NO:
        return False
    return len(value) > 2 if level == SECRET else opaque(value) and "/" not in value


def is_said(value: str, name: str, level: int) -> bool:
    """Whether a word in a sentence about a secret is its value."""
    if value.isalpha():
        return False
    if value.isdecimal():
        return len(value) < 9 and name.lower().endswith(("code", "otp"))
    has_digit = compiled(r"\d").search(value) is not None  # said before `opaque`, which takes ten times as long
    return level == SECRET and has_digit and opaque(value) and not compiled(SPOKEN).fullmatch(value)


def is_opaque_value(value: str) -> bool:
    """Whether a value looks like a secret, or a list or mapping has such a member."""
    if value[:1] not in CLOSING:
        return opaque(value)
    return compiled(r"\d").search(value) is not None and any(map(opaque, compiled(r"[\w.+/=-]{6,}").findall(value)))


def is_placeholder(value: str, *, is_code: bool = True) -> bool:
    """Whether a text is no value: a word such as `null`, or in code and in sentences a call or a placeholder."""
    bare_value = compiled(SCHEMES).sub("", value.strip()) if " " in value else value
    if bare_value.lower() in NOTHING or not any(map(str.isalnum, value)):
        return True
    return is_code and compiled(STAND_INS).fullmatch(bare_value) is not None


def is_about(value: str, name: str) -> bool:
    """Whether a value only describes the secret, or names it: `{"type": "string"}`, `--secret id=npm`."""
    if value[:1] == "{":
        keys = compiled(r"(\w+)\\{0,8}[\"']?\s?:").findall(value)
        return bool(keys) and all(secrecy(f"{name}_{key}") == NO for key in keys)
    if name == "secret" and (secrecy(value) == SECRET if value.isalpha() else value.startswith("id=")):
        return True
    is_name = value.endswith(":") and secrecy(value[:-1]) != NO
    return is_name or (name.upper() in ("PWD", "OLDPWD") and value[:1] == "/")
