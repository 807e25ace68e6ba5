"""The parts of URLs and paths that give access: user info, queries, fragments, parameters, tokens in paths."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from lambda_latency.redaction.names import REDACTED, SECRET, compiled, secrecy, words
from lambda_latency.redaction.reading import Reading, Span
from lambda_latency.redaction.shapes import opaque

# A path segment after the name of a secret, or after one of these, is a token that opens something to its holder.
GRANTS = words("""
    reset verify verification confirm confirmation activate activation invite invites invitation invitations
    unsubscribe magic signin recover recovery sso signed unlock one incomingwebhook
""")
# Each path segment after these, and after a host of web hooks, is such a token, or an id.
UNCLEAR = r"sessions?|shared?|shares|(?:web)?hooks?|callback|login|o?auth|s|(?:.{0,80}\.)?(?:web)?hooks?\..*"
# Stores whose keys are paths, and no server answers by the path: a segment `tokens` is a folder.
STORES = ("s3://", "gs://", "abfs://", "hdfs://")

# A word with a mark of an address
WORD = r"""(?<![^\s<>"])[^\s<>"?@#;/]*[?@#;/][^\s<>"]*"""
AROUND = "'`\"()[]{},.;\\"
QUERY = r"[\w.~%\[\]-]{1,80}="
# Path segments that are no token: words, numbers, versions, templates, and names with a number.
PLAIN = r"[a-z]{1,16}(?:[-_][a-z]{1,16}){0,2}(?:\.[a-z]{2,5})?|v?\d{1,9}|[{<:*$].*|[A-Za-z]*\[redacted\].*|"
NAMES = r"[A-Za-z]*\d{0,3}(?:[-_](?:[A-Za-z]*\d{0,3}|\d+))*|.*[.].*"
# `user:password@host:port` without a scheme, as some drivers write it, and `user/password@host:port` as Oracle does
USER = (
    r"(?<![\w.-])[\w.-]{1,64}[:/][^\s:@/]{1,128}@"
    r"(?=tcp\(|unix\(|[\w.-]{1,128}:(?:/|\d{2,5}(?!\w))|[\w-]{1,64}\.[\w.-]{1,64}/)"
)
PARAMETER = r";([\w.-]{1,64})=[^;/?#\s\"'<>]*"
SESSIONS = ("sid", "sessid", "session")


def addresses(reading: Reading) -> Iterator[Span]:
    """Yield the parts of each word that give access, if it is a URL or a path."""
    for match in reading.matches(WORD):
        word, start = match[0], match.start()
        if word[0] in "'`" and (closed := word.find(word[0], 1)) > 0:  # the rest is no part of the address
            word = word[:closed]
        if len(word) > 3:
            for begin, end, replacement in sorted(parts(word)):
                yield start + begin, start + end, replacement


def parts(word: str) -> Iterator[Span]:
    """Yield the parts of a word that give access, in any order."""
    if "@" in word:
        yield from users(word)
    address = word[: tail_start(word)] if "?" in word or "#" in word else word
    if len(address) < len(word):
        yield len(address), len(word), ""
    if ";" in address:
        yield from parameters(address)
    if "/" in word and not word.lstrip(AROUND).startswith(STORES):
        yield from granted(address)


def parameters(address: str) -> Iterator[Span]:
    """Yield the parameters of an address whose names are those of secrets."""
    for parameter in compiled(PARAMETER).finditer(address):
        name = parameter[1].lower()
        if name.endswith(SESSIONS) or secrecy(name) == SECRET:
            yield *parameter.span(), ""


def tail_start(word: str) -> int:
    """Return where a query or a fragment begins, whichever is first; the word's length if there is none."""
    is_path = "://" in word or word.lstrip(AROUND).startswith("/")
    return min(marked_start(word, mark, is_path=is_path) for mark in "?#")


def marked_start(word: str, mark: str, *, is_path: bool) -> int:
    """Return where a query or a fragment begins, by its mark; the word's length if there is none."""
    path, _, tail = word.partition(mark)
    is_address = is_path and ("/" in path or ":" in path)
    is_pair = (mark == "?" or "/" in path) and compiled(QUERY).match(tail) is not None
    return len(path) if tail and (is_address or is_pair) else len(word)


def users(word: str) -> Iterator[Span]:
    """Yield the user info. A password may hold any character."""
    end = word.rfind("@") if "jdbc:oracle:" in word else word.find("@//")
    if end > 0 and "/" in word[:end] and "//" not in word[:end]:  # `user/password@//host`, as Oracle writes it
        user = word.partition("/")[0]
        yield max(map(user.rfind, ":=('\"")) + 1, end + 1, ""
    elif "//" not in word:
        yield from [(*match.span(), "") for match in compiled(USER).finditer(word)]
    else:
        # Several addresses have a comma between them; a password may have one too.
        start = 0
        for address in compiled(r",(?=[\w+.-]{1,40}://)").split(word):
            scheme, slashes, location = address.partition("//")
            begin = start + len(scheme) + len(slashes)
            yield begin, begin + user_length(scheme, location), ""
            start += len(address) + 1


def user_length(scheme: str, location: str) -> int:
    """Return the length of the user info at the beginning of the part of a URL after `//`."""
    authority = compiled(r"[/?#]").split(location, maxsplit=1)[0]
    if "@" in authority:
        is_user_alone = "http" not in scheme and compiled(r"[a-z]{1,16}@[^@]*").fullmatch(authority)
        return 0 if is_user_alone else authority.rindex("@") + 1  # a user without a password, as in `ssh://git@host`
    port = authority.rpartition(":")[2] if ":" in authority else "0"
    return 0 if port.isdecimal() else location.rfind("@") + 1


def granted(path: str) -> Iterator[Span]:
    """Yield the segments of a path that are tokens, by the segments before them."""
    is_sure = is_unclear = False
    start = 0
    for segment in path.split("/"):
        name, value = segment.strip(AROUND).lower(), segment.rstrip(AROUND)
        end = start + len(segment)
        is_token = is_sure or (is_unclear and is_random(value))
        if name.startswith("bot") and ":" in segment:  # of Telegram
            yield start + 3, end, REDACTED
        elif is_token and compiled(PLAIN).fullmatch(value) is None:
            yield start, end, REDACTED
        is_sure, is_hook = opens(name)
        is_unclear = is_unclear or is_hook
        start = end + 1


@lru_cache(maxsize=1024)  # a path has few different segments
def opens(name: str) -> tuple[bool, bool]:
    """Whether a token follows a path segment, and whether each random one after it is such a token."""
    is_hook = compiled(UNCLEAR).fullmatch(name) is not None
    is_secret = ":" not in name and secrecy(name) == SECRET
    is_grant = is_secret or not GRANTS.isdisjoint(compiled(r"[-_]").split(name))
    return is_grant and not is_hook, is_hook


def is_random(segment: str) -> bool:
    """Whether a path segment does not look like an id."""
    return len(segment) > 8 and opaque(segment) and compiled(NAMES).fullmatch(segment) is None
