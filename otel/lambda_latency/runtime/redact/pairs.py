"""Redacts values by their names inside texts: JSON, reprs, headers, variables, command lines, source lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.runtime.redact.arguments import PART, clean_commands, is_compound, is_header, is_option
from lambda_latency.runtime.redact.names import NO, PERHAPS, SECRET, compiled, secrecy, words
from lambda_latency.runtime.redact.values import REDACTED, opaque, text_in

if TYPE_CHECKING:
    import re

Span = tuple[int, int]

LONGEST = 16_384  # most characters of a value in quotes or brackets
QUOTES = "\"'`"
BRACKETS = {"{": "}", "[": "]", "(": ")"}

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
    found ok enter please changed updated accepted rejected
""")
TO_LINE_END = ("authorization", "cookie", "cookies", "set-cookie", "passphrase", "mnemonic", "phrase", "-signature")


# A name and the characters between it and its value.
PAIR = (
    r"""(?<![\w$])(?<!nexpected )((?:(?:[Ss]eed|[Rr]ecovery|[Ss]ecurity) )?\w[\w.$-]{0,200})"""
    r"""(\\*["'`”]?(?:\[\d{0,3})?[\])*]{0,2}(?:[ \t]{4,40}|\s{0,3})"""
    r"""(?:[=-]>|→|:=|={1,3}|!=|[:\uff1a\uff1d,]|>(?:<!\[CDATA\[)?)(?:[ \t]{5,40}|\s{0,4}))"""
)
# The text after `{"name": ` if the value is another entry: `{"name": "password", "value": "hunter2"}`.
NAMED = (
    r"""\\*["']([\w./-]{1,100})\\*["'](?:(?:\s*,\s*\\*["']\w{1,40}\\*["']\s*:\s*\\*["']?[\w./:-]{0,100}\\*["']?){0,3}?"""
    r"""\s*,\s*\\*["']\w{0,20}(?i:value|val|v)\\*["']\s*:(?:\s?\{\\*["']S\\*["']:)?|\s+(?:value|content)=)\s*"""
)
# The same in YAML and in a command's arguments, and a value of several lines in YAML.
NAMED_LINE = r"([\w./-]{1,100})(?:\s{0,9}(?:\r?\n|\\+n)\s{1,80}value:\s{1,4}|[,&]\w{0,20}(?i:value)=)"
END = r"(?:\r?\n|\\+n)"
LINES = rf"[|>][+-]?\d? *{END}([ \t]+)((?:[^\r\n\\]|\\+(?!n))+(?:{END}(?:\1(?:[^\r\n\\]|\\+(?!n))+|[ \t]*(?={END})))*)"
# An entry whose value is before its name, and a field of a page.
REVERSED = (
    r"""(?i)(value|content)(\\*["']?\s*[:=]\s*\\*["']?)([^\s"',}<>\\]{3,})(\\*["']?(?:,|\s)\s*\\*["']?"""
    r"""\w{0,20}(?:name|key)\\*["']?\s*[:=]\s*\\*["']?)([\w./-]{1,100})"""
)
# The text after `name=` in a part of a form, up to its value.
FORM = (
    r"""\\*"([\w.\[\]-]{1,100})\\*"(?:\r?\n|\\+r\\+n)(?:[\w-]{1,40}: [^\r\n\\]{0,200}(?:\r?\n|\\+r\\+n)){0,5}"""
    r"""(?:\r?\n|\\+r\\+n)"""
)
# The text after `<item name=` or `<key>`, up to the value: `<item name="token">a1</item>`, `<key>token</key><b>a1</b>`
TAGGED = (
    r"""(?:["']([\w./-]{1,100})["'][^<>]{0,200}(?<!/)>|"""
    r"""([\w./-]{1,100})</[\w:.-]{1,40}>\s{0,80}(?:<[^<>/]{1,80}>\s{0,80}){1,2})"""
)
WITHIN = {FORM: r"[^\r\n\\]+", TAGGED: r"[^<]+"}
ELEMENT = r"<(?:\w{1,40}:)?(\w[\w.-]{0,80})\s[^<>]{0,400}>([^<>]+)</"
BARE = r"[^\s;&]+"
BARE_ENDS = r""",(?=\\*["']?[\w.-]+\\*["']?[=:])|[)}\]](?=[,)}\]"']*$)"""
# Also code, versions, paths and messages of validators, such as `This field is required.`
STAND_INS = (
    r"\$?\{\{? ?[\w.]* ?\}?\}|\$\{[\w.]*|\[[A-Z_ ]+\]|%\(?\w*\)?[sdr]|[:$@]\w+|[*x.•_?-]*|<[\w .]+>?|\[redacted\].*|"
    r"Bearer|Basic|[a-z_.]{4,}(?:\((?:[\w.]*|['\"][A-Za-z_/-]*)|\[['\"]\w+)|(?:var|local|self|settings|config)\.[a-z_.]+|"
    r"v?\d{1,3}(?:\.\d{1,3}){1,3}|(?:/[a-z_.-]+){2,}|(?i:\[?(?:\w+\(\w+=)?['\"]?(?:[a-z]+ ){0,3}(?:is|are|must|may|"
    r"can|cannot|should|has|do|does|too|not|missing)\b[\w ,'.-]{0,80}\b(?:required|blank|empty|short|long|weak|common|"
    r"valid|invalid|least|most|match|contain|similar|null|missing|incorrect|characters?|expired|string)\b"
    r"[\w ,'.-]{0,60}['\"]?(?:, code='\w+'\))?\]?)"
)
NAMES = ("name", "key", "type", "k")  # ends of the name of an entry's name
# Calls with a literal where the password is, after the name of the user.
CALL = (
    r"(?i)\b(?:\w*(?:auth|login|authenticate|credentials?|simple_bind(?:_s)?|pgp_sym_\w{7}|aes_\w{7}) ?\(\s*"
    r"(?:'[^'\n]{1,80}'|[^()\n,]{1,80}),\s*|(?:pdo|mysqli_connect|getconnection)\((?:['\"][^'\"\n]{1,200}['\"],\s*){2}|jwt\.(?:en|de)code\((?:\w[\w.]*|\{[^{}\n]*\}),\s*|"
    r"(?:hmac\.new|(?<!_)crypt|hashpw|fernet|aes\.new)\(\s*)(?=[rbfu]?\\*['\"])"
)
SCHEME = r"(?i)\b(bearer|basic|negotiate|token)(\s+['\"]?|\+|%20)([\w+/=.~%-]{6,})"
# `API key: abc1`, `the password for ada is abc1`, `token 'abc1'`, `SecretStr('abc1')`, `login as ada:abc1`
SAID = (
    r"(?i)(?<![^\W_])(?<!\bget )(?:(?:secret )?(?:api|access|private|secret|account|signing|encryption|hmac|aes|"
    r"license|master)[ _-]key|(?:one-time )?(?:db|user|auth|access|refresh|session|client|app)?(?:password|passwd|"
    r"passphrase|apikey|token|secret|secretstr|pwd|passwort|kennwort|otp|securestring(?: -String)?|contraseña|senha|"
    r"credentials?|requirepass|masterauth)|pass[ -]?(?:word|phrase)|mot de passe|session id|identified by|"
    r"(?:one-time|pin|security|access|verification|recovery|backup|unlock|o?auth(?:orization)?|confirmation|activation|"
    r"reset|login) code|(?:log(?:ged|ging)?[ -]?in|auth\w*|basic) (?:with|as|using|auth)(?= [\w.@+-]+[:/]\S))"
    r"(?: provided| entered| value| mismatch: expected)?(?: (?:for|of|für|de|para)(?: user)? ['\"]?[\w.@+-]{1,64}"
    r"['\"]?(?=\s?[:=]|\s(?:is|was|ist|lautet|est|es|to|set)\s))?(?:\s(?:is|was|ist|lautet|est|es))?"
    r"(?: changed| set| reset)?(?: from| to)?(?:\s?\(|['\"]?\s?[:=]?\s{1,3})(?:b?['\"«„“]\s?)?([^\s'\"]{6,}|"
    r"\d{4,5}(?!\S))|\b(\d{4,8}) (?:is|as) your (?:[\w-]+ ){0,3}code\b"
)
# A code of OAuth, beside a word that only OAuth has.
GRANTING = ("grant_type", "redirect_uri", "oauth", "OAuth", "authorization_code")
CODE = r"(?<![\w.-])code\\*[\"']?\s?[=:]\s?\\*[\"']?([^\s&,;}\"'\\]{6,})"
# What follows in a sentence and is no value: a path, an algorithm, a call.
SPOKEN = r"[a-z_.-]+(?:/[a-z\d_.-]+)+|(?i:base64|sha\d+|md5|oauth2?|[rhe]s\d{3}|x509)(?:[-_/][a-z]+)*|.*(?:\(|=[^=]).*"
# In SQL: `PASSWORD 'hunter'`, `IDENTIFIED BY 'hunter'`
STATED = (
    r"\b(?:PASSWORD|password|(?i:IDENTIFIED(?: WITH \w+)? BY|SET PASSWORD FOR [\w'@%\".-]+ =|pragma (?:re)?key =))"
    r"\s+([\"'])((?:(?!\1)\S){4,})\1"
)
TYPED = r"\s*[\w.\[\]| ]{1,40}?\s*=\s*(?=[rbfuRBFU]{0,2}[\"'\d])"
QUOTED = r"[rRbBuUfF]{0,2}(\\*)(\"\"\"|\'\'\'|[\"'`])"
LINE = r"(?:Digest|OAuth|Signature|Hawk)\s[^\r\n]+|[^\r\n\"'`]+"
# A stack's entry with its source and marks below it, on one line of a text.
ESCAPED_SOURCE = (
    r"(File \\*\"(?:(?!\\*\")[^\n]){1,500}\\*\", line \d{1,9}(?:, in [^\\\n]{1,200})?)"
    r"(?:\\+n {4}[^\n]*?(?=\\+n|$))+"
)
ENTRY = r"[ |+-]*File \""


def source_blocks(text: str) -> list[tuple[bool, str]]:
    """A text in blocks, each with whether it is source lines of a stack."""
    if 'File "' not in text:
        return [(False, text)]
    blocks: list[tuple[bool, str]] = []
    within = False
    for line in text.splitlines(keepends=True):
        entry = compiled(ENTRY).match(line) is not None
        source = within and not entry and line.lstrip(" |+-") != line and line.lstrip("|+- ").strip() != "" \
            and line.startswith(("    ", "  |"))  # fmt: skip
        within = entry or source
        if blocks and blocks[-1][0] == source:
            blocks[-1] = (source, blocks[-1][1] + line)
        else:
            blocks.append((source, line))
    return blocks


def without_source(text: str) -> str:
    """A text whose stacks have no source lines. The line ends of a stack may be escaped, as in JSON."""
    text = "".join([block for source, block in source_blocks(text) if not source])
    return compiled(ESCAPED_SOURCE).sub(r"\1", text) if "\\n" in text else text


def clean_pairs(text: str, *, source: bool) -> str:
    """A text without the values of secret names. In `source` only literals are values."""
    pair = compiled(PAIR)
    text = clean_calls(text)
    out: list[str] = []
    kept = at = 0
    while (found := pair.search(text, at)) is not None:
        at = found.end(1)
        level, span = entry(text, found.end()) if found[1].lower().endswith(NAMES) else (NO, None)
        is_named = "," not in found[2] or is_option(found[1])
        if span is None and is_named and (level := secrecy(found[1])):
            span = value_of(text, found, source=source)
        if span is None or not counts(text, span, level, found, source=source):
            continue
        out += (text[kept : span[0]], REDACTED)
        kept = at = span[1]
    out.append(text[kept:])
    text = "".join(out)
    return clean_schemes(text if source else clean_spoken(text))


def entry(text: str, start: int) -> tuple[int, Span | None]:
    """The level of a name that is a value itself, and where the value of that name is."""
    if named := compiled(NAMED).match(text, start) or compiled(NAMED_LINE).match(text, start):
        level = SECRET if named[1] == "SecureString" else secrecy(named[1])
        return level, quoted(text, named.end()) or bare(text, named.end()) if level else None
    for pattern, content in WITHIN.items():
        if named := compiled(pattern).match(text, start):
            level, value = secrecy(named[named.lastindex or 1]), compiled(content).match(text, named.end())
            return level, value.span() if level and value else None
    return NO, None


def clean_calls(text: str) -> str:
    """A text without the literals that calls get as a password."""
    out: list[str] = []
    kept = 0
    for found in compiled(CALL).finditer(text):
        span = quoted(text, found.end())
        if span is not None and span[0] >= kept:
            out += (text[kept : span[0]], REDACTED)
            kept = span[1]
    return "".join([*out, text[kept:]])


def clean_spoken(text: str) -> str:
    """A text without the values after `Bearer`, `--password` and `the password is`."""
    if any(map(text.__contains__, GRANTING)):
        text = compiled(CODE).sub(lambda m: m[0].replace(m[1], REDACTED), text)
    if "</" in text:
        text = compiled(ELEMENT).sub(
            lambda m: m[0].replace(f">{m[2]}<", f">{REDACTED}<") if secrecy(m[1]) == SECRET else m[0], text
        )
    text = clean_commands(text)
    text = compiled(REVERSED).sub(
        lambda m: m[1] + m[2] + REDACTED + m[4] + m[5] if secrecy(m[5]) == SECRET else m[0], text
    )
    text = compiled(STATED).sub(lambda m: m[0].replace(m[2], REDACTED) if m[2].lower() not in PROSE else m[0], text)
    return compiled(SAID).sub(without_said, text) if compiled(r"\d").search(text) else text


def without_said(found: re.Match[str]) -> str:
    """A name with what follows in a sentence, without a value; it may be another word of the sentence."""
    given = found[1] or found[2]
    value = given.rstrip(".,;!)")
    is_code = value.isdecimal() and len(value) < 9 and compiled(r"(?i)(?:code|otp\b|one-time)").search(found[0])
    is_value = opaque(value) and any(map(str.isdigit, value)) and not compiled(SPOKEN).fullmatch(value)
    return found[0].replace(given, REDACTED) if is_code or is_value else found[0]


def clean_schemes(text: str) -> str:
    """A text without the values after `Bearer` and `Basic`."""
    return compiled(SCHEME).sub(lambda m: m[0] if spoken(m[1], m[3]) else f"{m[1]}{m[2]}{REDACTED}", text)


def spoken(scheme: str, value: str) -> bool:
    """Whether it is prose such as `bearer tokens`, not a scheme with its token."""
    if scheme.lower() == "basic":
        return ":" not in text_in(value, least=3) and not opaque(value)
    return value.lower() in ("realm=", "error=", "scope=") or (
        (scheme.lower() == "token" or value.isalpha()) and not opaque(value)
    )


def value_of(text: str, found: re.Match[str], *, source: bool) -> Span | None:
    """Start and end of a name's value, without its quotes; None if it has none."""
    between, start = found[2], found.end()
    before = text[found.start() - 1 : found.start()]
    if "," in between and not (between[0] in "\\\"'`" and leads(text, before, found)):
        span = quoted(text, start) if before and before in QUOTES and is_compound(found[1]) else None
        return span if span is not None and opaque(text[slice(*span)]) else None
    if between == ":" and before == ":" and "arn:" in text[max(0, start - 200) : start].rpartition(" ")[2]:
        return None
    if ">" in between and "=" not in between and "-" not in between:
        end = text.find("<", start)
        return (start, end) if before in ("<", ":") and end > start else None
    if "!=" in between and not source:
        return None
    to_line_end = found[1].lower().endswith(TO_LINE_END) and between.strip() != ","
    if ":" in between and not to_line_end and (typed := compiled(TYPED).match(text, start)) is not None:
        start = typed.end()
    span = quoted(text, start)
    if span is not None:
        return span
    if text[start : start + 1] in BRACKETS and (not source or text[start + 1 : start + 2] in QUOTES):
        return bracketed(text, start)
    if source:
        number = compiled(r"\d{3,}").match(text, start)
        return number.span() if number else None
    if to_line_end:
        line = compiled(LINE).match(text, start)
        return line.span() if line else None
    return bare(text, start)


def leads(text: str, before: str, found: re.Match[str]) -> bool:
    """Whether the value of a quoted name is after a comma: the name is an option in a list of arguments, or the first
    of a pair or of the arguments of a call. `before` is the character before it.
    """
    if before == "-":
        return compiled(r"\\*[\"'`](?!-)").match(text, found.end()) is not None
    if not before or before not in QUOTES or compiled(r"[bru]?\\*[\"'`]-").match(text, found.end()):
        return False
    return text[max(0, found.start() - 9) : found.start() - 1].rstrip("\\").rstrip("bruf")[-1:] in ("(", "[")


def quoted(text: str, start: int) -> Span | None:
    """Start and end of a quoted text, or of a block of YAML. Quotes may be escaped; the last one may be missing if the
    text was cut.
    """
    found = compiled(QUOTED).match(text, start)
    if found is None:
        lines = compiled(LINES).match(text, start)
        return lines.span(2) if lines else None
    escapes, quote, begin = len(found[1]), found[2], found.end()
    last = begin + LONGEST
    end = text.find(quote, begin, last)
    while end > 0:
        slashes = end - len(text[begin:end].rstrip("\\")) - begin
        if slashes <= escapes or (not escapes and slashes % 2 == 0):
            return begin, end - min(slashes, escapes)
        end = text.find(quote, end + 1, last)
    return begin, min(len(text), last)


def bracketed(text: str, start: int) -> Span:
    """Start and end of a list or a mapping, with its brackets."""
    depth = 0
    for at in range(start, min(len(text), start + LONGEST)):
        if text[at] in "{[(":
            depth += 1
        elif text[at] in "}])":
            depth -= 1
            if not depth:
                return start, at + 1
    return start, len(text)


def bare(text: str, start: int) -> Span | None:
    """Start and end of a word, without the brackets and marks that close what surrounds it."""
    found = compiled(BARE).match(text, start)
    if found is None:
        return None
    word = compiled(BARE_ENDS).split(found[0], maxsplit=1)[0].rstrip("\"'`,>\\")
    return (start, start + len(word)) if word else None


def describes(value: str, name: str) -> bool:
    """Whether it is a mapping about the secret of this name: `{"type": "string", "minLength": 8}`."""
    keys = compiled(r"(\w+)\\*[\"']?\s*:").findall(value) if value[:1] == "{" else []
    return bool(keys) and all(secrecy(f"{name}_{key}") == NO for key in keys)


def counts(text: str, span: Span, level: int, found: re.Match[str], *, source: bool) -> bool:
    """Whether it is a value that has to be redacted."""
    value = text[span[0] : span[1]]
    lower = value.strip().lower()
    quote = text[span[0] - 1 : span[0]] in QUOTES if span[0] else False
    if lower in NOTHING or compiled(STAND_INS).fullmatch(value.strip()) or not any(map(str.isalnum, value)):
        return False
    if describes(value, found[1]) or (len(value) < 3 and not (quote and "," not in found[2])):
        return False  # about a secret, or too short for one
    if (value.endswith(":") and secrecy(value[:-1])) or (found[1] == "secret-id" and "/" in value):
        return False  # another name, whose value follows
    name, is_list = found[1], "," in found[2] and text[found.start() - 1] != "-"
    is_named = is_list and not is_compound(name) and compiled(r"\\*[\"'`],").match(text, span[1]) is not None
    if (is_list and is_header(name, value)) or (name.upper() in ("PWD", "OLDPWD") and value[:1] == "/"):
        return False  # a list of headers, the working directory
    if name == "secret" and (compiled(PART).fullmatch(value) or secrecy(compiled(r"\d.*").sub("", value)) == SECRET):
        return False  # a file, or the name of a secret
    if is_named or "->" in found[2] or "→" in found[2]:  # mostly a list of names, prose, or a type
        return opaque(value)
    if level == PERHAPS:
        given = compiled(r"[\w.+/=-]*\d[\w.+/=-]*").findall(value) if value[:1] in BRACKETS else [value]
        return any(map(opaque, given))
    if source:
        # `f"Bearer {token}"` does not hold a secret.
        if text[span[0] - 2 : span[0] - 1] in ("f", "F") and "{" in value:
            fixed = compiled(r"\{[^{}]*\}|(?i:bearer|basic|token)").sub("", value)
            return sum(map(str.isalnum, fixed)) > 5
        return True
    # `Invalid token: unexpected end of input` only mentions one.
    return quote or ":" not in found[2] or lower.strip(".,!'") not in PROSE
