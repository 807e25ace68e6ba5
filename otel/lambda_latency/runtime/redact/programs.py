"""The programs that get a secret as an argument: after an option, or after words."""

from __future__ import annotations

from fnmatch import translate
from functools import cache
from typing import TYPE_CHECKING

from lambda_latency.runtime.redact.names import compiled

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Sequence

# Programs and subcommands with their options before a secret; with `=` a secret may be attached; after `?` options
# that have another meaning too, so that what follows must look like a secret.
OPTIONS = """
7z* rar unrar: -p= -hp=
mariadb* mycli mysql*: -p=
ab: -A
add-generic-password create-keychain unlock-keychain: -p -w
anaconda codecov doctl vercel: ?-t
bcp osql sqlcmd unzip zip: -P -P=
conan elasticsearch-users supabase vncdo: ?-p
curl: -u -U --user --proxy-user -u= -U= --user== --proxy-user==
dotnet push: ?-k
etcdctl: --user --user==
http https httpie xh: -a
ipmitool isql knife mosquitto_pub mosquitto_sub p4 tsql: -P
isql-fb: -pas
keydb-cli redis-benchmark redis-cli valkey-cli: -a -a=
ldap* vsql: -w -w=
ldappasswd: -w -s -a
lftp: -u
login: -p -p= ?-t
beeline certutil mongo* sshpass twine useradd usermod: -p -p=
net rpcclient smbclient: -U --user --user==
openssl: ?-k ?-K
pdftotext: -upw -opw
publish: ?-a ?-t
qpdf: ?--encrypt
schtasks: /rp
security: ?-P
sendemail: -xp
signtool: /p
snmp*: ?-A ?-X ?-c
ssh-keygen: -N -P
swaks: -ap
swift: -K
xfreerdp: /p:=
"""
# Programs, and words with the secret, which is `$`. Options may be between the words.
PLACES = """
ansible-vault: encrypt_string $
b2: authorize-account * $; account authorize * $
bao vault: login $; unwrap $; unseal $; token lookup $; token revoke $; token renew $
bundle: config * *:$; config set * *:$
bw: login * $; unlock $
cargo: login $
cf: auth * $
chpasswd: *:$
cloudflared: service install $
composer poetry: config http-basic.* * $; config *-token.* $; config *-oauth.* $
consul: set-agent-token * $
curl: -E *.p*:$; --cert *.p*:$
db2: user * using $
dscl: -passwd /Users/* $
expdp impdp rman sqlcl sqlldr sqlplus: [!@/]*/$@*; userid=*/$; [!@/]*/$
flyctl: auth token $
gcloud: auth activate-refresh-token * $
mariadb-admin mysqladmin: password $
mc mcli: alias set * * * $; config host add * * * $; admin user add * * $
mkpasswd: $
neo4j-admin: set-initial-password $
net: use [\\\\/]* $; use * [\\\\/]* $; user * $
ngrok: authtoken $; add-authtoken $
nmcli: password $
pdftk: user_pw $; owner_pw $; input_pw $
nuget: push * $; setapikey $
openssl: passwd $; passwd * $
qpdf: --encrypt * $
rabbitmqctl: add_user * $; change_password * $; authenticate_user * $
rclone: obscure $
redis-cli valkey-cli: auth $; auth * $; setuser * * >$
salt: user.setpassword * $
smbclient: //* $
snyk: auth $; config set api=$
twilio: login * $
wandb: login $
wpa_passphrase: * $
"""
NEAR = 16  # words after a program's name: a text may have the name many times
SWITCH = r"-.+|/[A-Za-z]+(?::.*)?"
NO_SECRET = rf"[a-z_]+=[\w-]*|https?:.*|{SWITCH}"


def name_of(word: str) -> str:
    """The name of the program that a word is, without its folder."""
    return word.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe")


@cache
def table(text: str) -> dict[str, list[str]]:
    """The parts of a table's rows by the names before them."""
    rows = [line.partition(": ") for line in text.strip().splitlines()]
    return {name: rest.split("; ") for names, _, rest in rows for name in names.split()}


@cache
def families() -> tuple[str, ...]:
    """The beginnings of names that several programs have."""
    return tuple([name[:-1] for name in table(OPTIONS) if name[-1] == "*"])


def programs() -> list[str]:
    """The programs of the table of places."""
    return [*table(PLACES)]


def options(given: Sequence[str]) -> set[str]:
    """The options before a secret of all programs among the words, as they are in the table."""
    rows, found = table(OPTIONS), set[str]()
    for name in map(name_of, given):
        row = rows.get(name)
        if row is None and name.startswith(families()):
            row = rows[next(filter(name.startswith, families())) + "*"]
        if row is not None:
            found.update(row[0].split())
    return found


def places(given: Sequence[str]) -> Iterator[int]:
    """The places of the words that are secret by the words before them."""
    for start, word in enumerate(given, 1):
        for pattern in map(str.split, table(PLACES).get(name_of(word), ())):
            has_option = pattern[0].startswith("-")
            after = range(start, min(len(given), start + NEAR))
            plain = [at for at in after if has_option or not compiled(SWITCH).fullmatch(given[at])]
            yield from matches(pattern, given, plain)


def matches(pattern: Sequence[str], given: Sequence[str], places: Sequence[int]) -> Iterator[int]:
    """The places of secret words, wherever the words at the `places` are as the pattern says."""
    for first in range(len(places) - len(pattern) + 1):
        here = places[first : first + len(pattern)]
        if all(fits(given[at], one) for at, one in zip(here, pattern, strict=True)):
            yield from [at for at, one in zip(here, pattern, strict=True) if "$" in one]


def fits(word: str, pattern: str) -> bool:
    """Whether a word is as its pattern says."""
    if "$" in pattern and "=" not in pattern and compiled(NO_SECRET).fullmatch(word):
        return False
    return expression(pattern).match(word) is not None


@cache
def expression(pattern: str) -> re.Pattern[str]:
    """The expression for a word of a place."""
    return compiled("(?i)" + translate(pattern.replace("$", "?*")))
