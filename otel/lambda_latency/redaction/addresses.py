"""The parts of URLs and paths that give access: user info, queries, fragments, parameters, tokens in paths."""

from __future__ import annotations

from collections.abc import Iterator

from lambda_latency.redaction.names import REDACTED, SECRET, compiled, secrecy, words
from lambda_latency.redaction.reading import Reading, Span
from lambda_latency.redaction.shapes import UUID

# A path segment after these is a token that grants something to the holder of the link.
GRANTS = words("""
    reset password-reset reset-password passwordreset resetpassword password token tokens verify verification
    verify-email confirm confirmation confirm-email activate activation invite invites invitation invitations
    unsubscribe magic magic-link magiclink magic-login login-link signin-link otp recover recovery sso apikey api-key
    apikeys secret secrets signed unlock one-time incomingwebhook session-token access-token auth-token share-token jwt
""")
# A path segment after these is such a token, or an id.
PERHAPS = words(
    "session sessions share shared shares hook hooks webhook webhooks webhookb2 callback login auth oauth s"
)
# Stores whose keys are paths, and no server answers by the path: a segment `tokens` is a folder.
STORES = ("s3://", "gs://", "abfs://", "hdfs://")

# Hosts of web hooks: whoever knows such an address may send to it.
HOOKS = r"(?:.{0,80}\.)?(?:web)?hooks?\."
WORD = r"""[^\s<>"]+"""
QUERY = r"[\w.~%\[\]-]{1,80}="
# Path segments that are no token: words, numbers, versions, templates.
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
    if not any(mark in reading.text for mark in "?@#;/"):
        return
    for match in reading.matches(WORD):
        word = match[0]
        if not word.isalnum():
            start = match.start()
            if word[0] in "'`" and (closed := word.find(word[0], 1)) > 0:  # the rest is no part of the address
                word = word[:closed]
            for begin, end, replacement in sorted(parts(word)):
                yield start + begin, start + end, replacement


def parts(word: str) -> Iterator[Span]:
    """Yield the parts of a word that give access, in any order."""
    if "@" in word:
        yield from users(word)
    is_path = "://" in word or word.lstrip("'`([{,").startswith("/")
    path_end = len(word)
    if "?" in word and (start := query_start(word, is_path=is_path)):
        path_end = start
        yield start, len(word), ""
    if "#" in word and (start := fragment_start(word, is_path=is_path)):
        path_end = min(path_end, start)
        yield start, len(word), ""
    if ";" in word:
        for parameter in compiled(PARAMETER).finditer(word, 0, path_end):
            name = parameter[1].lower()
            if name.endswith(SESSIONS) or secrecy(name) == SECRET:
                yield *parameter.span(), ""
    if "/" in word and not word.lstrip("'`([{,").startswith(STORES):
        yield from granted(word[:path_end])


def without_query(text: str) -> str:
    """Return a URL without user info, query and fragment."""
    out, copied = list[str](), 0
    for start, end, _ in sorted(users(text)) if "@" in text else ():
        out.append(text[copied:start])
        copied = max(copied, end)
    return "".join([*out, text[copied:]]).partition("?")[0].partition("#")[0]


def users(word: str) -> Iterator[Span]:
    """Yield the user info. A password may hold any character."""
    end = word.rfind("@") if "jdbc:oracle:" in word else word.find("@//")
    if end > 0 and "/" in word[:end] and "//" not in word[:end]:  # `user/password@//host`, as Oracle writes it
        user = word.partition("/")[0]
        yield max(map(user.rfind, ":=('\"")) + 1, end + 1, ""
        return
    if "//" not in word:
        for match in compiled(USER).finditer(word):
            yield *match.span(), ""
        return
    # Several addresses have a comma between them; a password may have one too.
    start = 0
    for address in word.split(",") if word.count("://") > 1 else [word]:
        scheme, slashes, location = address.partition("//")
        if slashes and (length := user_length(scheme, location)):
            begin = start + len(scheme) + 2
            yield begin, begin + length, ""
        start += len(address) + 1


def user_length(scheme: str, location: str) -> int:
    """Return the length of the user info at the beginning of the part of a URL after `//`."""
    if "@" not in location:
        return 0
    authority = compiled(r"[/?#]").split(location, maxsplit=1)[0]
    if "@" in authority:
        is_user_alone = "http" not in scheme and compiled(r"[a-z]{1,16}@[^@]*").fullmatch(authority)
        return 0 if is_user_alone else authority.rindex("@") + 1  # a user without a password, as in `ssh://git@host`
    port = authority.rpartition(":")[2] if ":" in authority else "0"
    return 0 if port.isdecimal() else location.rindex("@") + 1


def query_start(word: str, *, is_path: bool) -> int:
    """Return where the query of a URL or a path begins, or a query alone; 0 if there is none."""
    path, _, query = word.partition("?")
    is_query = (is_path and ("/" in path or ":" in path)) or compiled(QUERY).match(query)
    return len(path) if query and is_query else 0


def fragment_start(word: str, *, is_path: bool) -> int:
    """Return where the fragment of a URL or a path begins; 0 if there is none."""
    path, _, fragment = word.partition("#")
    return len(path) if "/" in path and (is_path or "=" in fragment) else 0


def granted(path: str) -> Iterator[Span]:
    """Yield the segments of a path that are tokens, by the segments before them."""
    segments = path.split("/")
    is_sure = is_perhaps = is_hook = False
    start = 0
    for index, segment in enumerate(segments):
        name = segment.strip("'`\"()[]{},").lower()
        if index and (is_sure or is_perhaps) and is_grant(segment, sure=is_sure):
            yield start, start + len(segment), REDACTED
        elif index and name.startswith("bot") and ":" in segment:  # of Telegram
            yield start + 3, start + len(segment), REDACTED
        is_hook = is_hook or ("hook" in name and compiled(HOOKS).match(name) is not None)
        # A first segment `secret` is a mount of Vault's.
        is_sure = is_hook or (name.replace("_", "-") in GRANTS and (index > 0 or name != "secret"))
        is_perhaps = name in PERHAPS or (is_perhaps and not is_sure)
        start += len(segment) + 1


def is_grant(segment: str, *, sure: bool) -> bool:
    """Whether a path segment is a token. If that is not `sure`, it must not look like an id."""
    segment = segment.rstrip("'`\")]},.;\\")
    if compiled(PLAIN).fullmatch(segment):
        return False
    return sure or (
        len(segment) >= 12
        and any(map(str.isdigit, segment))
        and any(map(str.isalpha, segment))
        and UUID.fullmatch(segment) is None
        and compiled(NAMES).fullmatch(segment) is None
    )
