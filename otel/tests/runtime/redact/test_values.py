"""The expressions for shapes of values: what each must match, and what it must not."""

from __future__ import annotations

import pytest

from lambda_latency.runtime.redact import values as module
from tests.runtime.redact.expressions import Shown, checks, plain

HEX8, HEX32 = "0b5a7c1e", "33296c87009e8a7f770d9106fd287db7"
ALNUM = "Zq3Xw7Rt9Yu2Ip4Lk6Jh8Gf1Ds5Ba0T"  # 31 characters, as many as a token's random part has at least
SHOWN: Shown = {
    "SESSION": (
        "a«IQoJb3JpZ2luX2VjEAkaCXVz+/=%-» b", "«FwoGZXIvYXdzEAo» «FQoGZXIvYXdzEAo»", "IQoJb3JpZ2l FxoGZXIvYXdz",
        "«FwoGZXIvYXdz»",
    ),
    "TELEGRAM": (
        f"bot«1234567890:AA{ALNUM[:30]}»", f"«12345678:AA{ALNUM[:29]}-» ", f"12345678901:AA{ALNUM[:30]}",
        f"1234567:AA{ALNUM[:30]}", f"12345678:AB{ALNUM[:30]}", f"12345678:AA{ALNUM[:29]}",
    ),
    "TWILIO": (f"key «SK{HEX32}», next", f"SK{HEX32}0", f"xSK{HEX32}", f"SK{HEX32[:31]}", f"SK{HEX32.upper()}"),
    "TWILIO_USER": (
        f"curl -u AC{HEX32}:«{HEX32}» h", f"AC{HEX32}:{HEX32}0", f"xAC{HEX32}:{HEX32}", f"AC{HEX32} {HEX32}",
        f"Client('AC{HEX32}', '«{HEX32}»')",
    ),
    "KEYS": (
        f"key «sk_{ALNUM[:24]}»", f"(«sk_{ALNUM}»)", f"sk_{ALNUM[:23]}", f"ask_{ALNUM[:24]}", f"sk_{ALNUM[:24]}_x",
        "sk_customer_2024_orders_index_7", f"Ask_{ALNUM[:24]}", f"1sk_{ALNUM[:24]}", f"sk_{ALNUM[:24]}-",
    ),
    "LAUNCHDARKLY": (
        f"«sdk-{HEX8}-1234-4abc-8def-0123456789ab»", f"asdk-{HEX8}-1234-4abc-8def-0123456789ab",
        f"sdk-{HEX8}-1234-4abc-0123456789ab", f"sdk-{HEX8}-1234-4abc-8def-0123456789a", "sdk-rollout-2024-order",
    ),
    "MAILCHIMP": (
        f"key «{HEX32}-us12»", f"«{HEX32}-us6»,", f"{HEX32[:31]}-us12", f"0{HEX32}-us12", f"{HEX32}-us123",
        f"{HEX32}-eu1", f"{HEX32}-us,",
    ),
    "AZURE": (
        f"«abc7Q~{ALNUM[:24]}»", f"(«~.-8Q~{ALNUM[:23]}.»)", f"xabc7Q~{ALNUM[:24]}", f"abc7Q~{ALNUM[:23]}",
        f"abcdQ~{ALNUM[:24]}", f"~abc7Q~{ALNUM[:24]}", f".abc7Q~{ALNUM[:24]}", f"-abc7Q~{ALNUM[:24]}",
        f"«abc7Q~{ALNUM[:22]}~-»",
    ),
    "DISCORD": (
        f"«M{ALNUM[:23]}.Gx1-_y.{ALNUM[:27]}»", f"«M{ALNUM[:27]}.Gx1-_y.{ALNUM[:27]}-_»",
        f"-M{ALNUM[:23]}.Gx1-_y.{ALNUM[:27]}", f"M{ALNUM[:22]}.Gx1-_y.{ALNUM[:27]}",
        f"M{ALNUM[:28]}.Gx1-_y.{ALNUM[:27]}", f"M{ALNUM[:23]}.Gx1-_.{ALNUM[:27]}",
        f"M{ALNUM[:23]}.Gx1-_y.{ALNUM[:26]}", f"_{ALNUM[:23]}.Gx1-_y.{ALNUM[:27]}",
        f"M{ALNUM[:23]}xGx1-_yx{ALNUM[:27]}", f"«m{ALNUM[:23]}.Gx1-_y.{ALNUM[:27]}»",
        f"«1{ALNUM[:22]}-.Gx1-_y.{ALNUM[:27]}»",
    ),
    "TERRAFORM": (
        f"«{ALNUM[:14]}.atlasv1.{ALNUM[:19]}-»", f"{ALNUM[:13]}.atlasv1.{ALNUM[:20]}",
        f"x{ALNUM[:14]}.atlasv1.{ALNUM[:20]}", f"{ALNUM[:14]}.atlasv1.{ALNUM[:19]}",
        f"{ALNUM[:14]}.atlasv2.{ALNUM[:20]}", f"{ALNUM[:14]}xatlasv1.{ALNUM[:20]}",
        f"{ALNUM[:14]}.atlasv1x{ALNUM[:20]}",
    ),
    "AIRTABLE": (
        f"«pat{ALNUM[:14]}.{HEX32}{HEX32}»", f"xpat{ALNUM[:14]}.{HEX32}{HEX32}", f"pat{ALNUM[:13]}.{HEX32}{HEX32}",
        f"pat{ALNUM[:14]}.{HEX32}{HEX32[:31]}", f"pat{ALNUM[:14]}x{HEX32}{HEX32}",
    ),
    "CRYPT": (
        "root:«$6$salt$abcdefghijklmnopqrstu»:1", "«$2b$12$abcdefghijklmnopqrs.tu»", "«$apr1$a1$abcdefghijklmnopqrstu»",
        "$6$short", "$9$abcdefghijklmnopqrstuv", "$argon$abcdefghijklmnopqrstuv", "«$argon2id$v=19$m=65536,t=3$abc»",
    ),
    "FACEBOOK": (
        f"«1234567890123|{ALNUM[:20]}»", f"«12345678901234567|{ALNUM[:19]}_»", f"123456789012|{ALNUM[:20]}",
        f"123456789012345678|{ALNUM[:20]}", f"1234567890123|{ALNUM[:19]}", f"1234567890123-{ALNUM[:20]}",
        f"«1234567890123|{ALNUM[:19]}-»",
    ),
    "JWT": (
        "Bearer «eyJhbGciOiJ.eyJzdWIiOiI.c2ln-_», next", "«eyJhbGciOiJ.eyJz», cut", "«eyJhbGciOiJ.eyJz.»",
        "xeyJhbGciOiJ.eyJz", "eyJhbGciO.eyJz", "eyJhbGciOiJ eyJz", "eyKhbGciOiJ.eyJz", "«eyJh-_ciOiJ.e.a.b-_»",
        "XeyJhbGciOiJ.eyJz", "1eyJhbGciOiJ.eyJz", "eyJhbGciOi.eyJz", "«eyJhbGciOiJ.e-y»",
    ),
    "PEM": (
        "a «-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----» b",
        "«-----BEGIN PRIVATE KEY-----\\nMIIE\n»", "«-----BEGIN PRIVATE KEY BLOCK-----\nx»",
        "«-----BEGIN+EC%20PRIVATE+KEY-----MIIE-----END+EC%20PRIVATE+KEY-----»",
        "-----BEGIN PUBLIC KEY-----\nMIIE\n-----END PUBLIC KEY-----", "----BEGIN PRIVATE KEY-----",
        "«-----BEGIN PRIVATE KEY-----MIIE-----END P9+%-----»x", "«-----BEGIN PRIVATE KEY-----MIIE-----END-----» x",
        "-----BEGI PRIVATE KEY-----", "-----BEGIN RIVATE KEY-----", "-----BEGIN PRIVATE KE-----",
        "«-----BEGIN PRIVATE KEY-----MIIE-----EN PRIVATE-----»", "«-----BEGIN PRIVATE KEY-----MIIE----END P9-----»",
    ),
    "RUN": (
        f"a «{ALNUM[:16]}» b", f"«{ALNUM[:12]}_-+/=»", f"«{ALNUM[:16]}==»=",
        f"«{ALNUM[:16]}\n{ALNUM[:16]}==\r\n{ALNUM[:16]}»", f"«{ALNUM[:16]}\\n{ALNUM[:16]}\\\\n{ALNUM[:16]}=»",
        ALNUM[:15], f"«{ALNUM[:16]}»\n{ALNUM[:15]}", "short words only", f"«{ALNUM[:16]}»\\{ALNUM[:15]}",
        f"«{ALNUM[:16]}\n{ALNUM[:14]}+/»", f"«{ALNUM[:16]}»\\m{ALNUM[:16]}"[:20] + f"\\«{ALNUM[:16]}»",
    ),
    "PUBLIC": (
        "src=«data:image/png;base64,iVBORw0KGgo+/=» alt",
        "«data:font/x-woff.2+a;base64,d09GMg» «data:audio/a;base64,Zg»", "«data:video/mp4;base64,AA»",
        "data:text/plain;base64,aGVsbG8", "a «-----BEGIN CERTIFICATE-----\nMIIB+/=\\n \n-----END» CERTIFICATE-----",
        "«-----BEGIN PUBLIC KEY-----\nMIIB\n-----END»", "«-----BEGIN RSA PUBLIC KEY-----\nMIIB\n-----END» RSA",
        "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END", "«ssh-rsa AAAAB3+/=» ada@h", "«ssh-ed25519 AAAAC3» x",
        "«ssh-dss AAAAB3»", "xssh-rsa AAAAB3", "ssh-ecdsa AAAAB3",
        f"«sha256-{ALNUM}AbCdEfGhI+/=», «SHA256:{ALNUM}AbCdEfGhIjK==»", f"«sha1-{ALNUM[:27]}=»", f"sha2-{ALNUM[:27]}",
        f"«sha512-{ALNUM}»", f"«sha384-{ALNUM}»", f"sha256-{ALNUM[:26]}", f"xsha256-{ALNUM}",
        f"«X-Amz-Id-2: {ALNUM[:20]}» ok", f"«x-amz-cf-id': '{ALNUM[:17]}+/=-»'", f"«HostId': '{ALNUM[:20]}»'",
        f"hostid {ALNUM[:19]}", f"xhostid: {ALNUM[:20]}", f"hostid{ALNUM[:20]}",
        "form-data; «boundary=----WebKit'+/x»; a", "xboundary=abc", "boundary: abc", f"«boundary={'x' * 70}»x",
        "boundary=;", f"«x-amz-id-2:     {ALNUM[:20]}»", f"«hostid:{ALNUM[:20]}»", f"x-amz-id-2:      {ALNUM[:20]}",
        "-----BEGIN R PUBLIC KEY-----\nMIIB\n-----END", "«-----BEGIN EC PUBLIC KEY-----\nMIIB\n-----END»",
        "data:image/;base64,AA", f"«receipt handle {ALNUM}+/=» x", f"«ReceiptHandle': '{ALNUM}»'",
        "a «iVBORw0KGgoAA+/=» b",
        "«/9j/4AAQSkZJ», «R0lGODlhAQ», «JVBERi0xLj»", "xiVBORw0KGgoAA", "/9j/4AA", "+R0lGODlhAQ", "/JVBERi0xLj",
    ),
    "PATH": (
        "https://api.example.com«//v1/»ch_3", "https://api.example.com«/teams/»T024", "api.example.«com/»ch_3",
        "url: «/v1/»ch", "«/a-b/»T0", "«/12345/»x", "arn:aws:iam:«/12/»x", "arn:aws:iam:«123/»role", "arn:12:«role/»x",
        "arn:«»role/x", "a«»role/x", "«»charges/ch", "/A/b", "/123456/x", "/v123456/x", "///v1/x", "«/v/»",
    ),
    r"(?<![A-Za-z0-9+/])MII[A-Za-z0-9+/\\\r\n]{200,}={0,2}": (
        f"cert «MII{'aB3+/' * 40}==»", f"«MII{'aB3dE' * 39}\r\na\\n==»=", f"MII{'aB3dE' * 39}aB3d",
        f"xMII{'aB3dE' * 40}", f"+MII{'aB3dE' * 40}", f"«MII{'aB3dE' * 40}»", f"XMII{'aB3dE' * 40}",
        f"1MII{'aB3dE' * 40}", f"/MII{'aB3dE' * 40}",
    ),
    "[/_-]": ("a«/»b«_»c«-»d", "a.b+c"),
    "[-_]": ("a«-»b«_»c", "a/b"),
    r"\d": ("a«1»b«2»", "abc"),
    r"[0-9a-f-]+|[0-9A-F-]+": (f"«{HEX32}»", "«0B5A-7C1E»", "«0b5a-7c1e»", "0b5A7c1E", "0b5a7c1g"),
    "[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+": ("«Order»«Created»«HTTP»«Api»«2024»«x»", "«HTTPS»_-/", "_-/"),
    "UUID": (
        f"«{HEX8}-1234-4abc-8def-0123456789ab»", f"«{HEX8.upper()}-1234-4ABC-8DEF-0123456789AB»",
        f"{HEX8}-1234-4abc-8def-0123456789abc", f"{HEX8}-1234-4abc-0123456789ab",
        f"{HEX8[:7]}g-1234-4abc-8def-0123456789ab", HEX32,
    ),
    "DATE": ("«2024-02-29»T10:00:00Z", "24-02-29", "2024/02/29", "2024-2-29"),
    "CARD": (
        "card «4242424242424242», «4242424242424»",
        "«4242 4242 4242 4242» «4242-4242-4242-4242» «4242 4242 4242 4242424»",
        "«3782 822463 10005» «3782-822463-1000»", "x4242424242424242", "4242424242424242x", "4242424242424242.5",
        "0.4242424242424242", "-4242424242424242", "4242 4242-4242 4242", "424242424242", "42424242424242424242",
        "«4242424242424242». Next", "3782 822463-10005", "-4242 4242 4242 4242", "4242 4242 4242 4242-",
        "-3782 822463 10005", "3782 822463 10005-", "3782 822463 100", "«4242424242424242424»", "«4242 4242 4242 4»",
        "4242 4242 4242 ", "x4242 4242 4242 4242", "4242 4242 4242 4242x", "x3782 822463 10005", "3782 822463 10005x",
        "4242 4242 4242 42424242",
    ),
    "NETWORKS": (
        "«4242424242424»", "«4242424242424242»", "«4242424242424242424»", "«5555555555554444»", "«5105105105105100»",
        "«2223003122003222»", "«2720992593319364»", "«378282246310005»", "«341111111111111»", "«6011111111111117»",
        "«6445644564456445»", "«6500000000000002»", "«30569309025904»", "«36227206271667»", "«38520000023237»",
        "«39520000023237»", "«3530111333300000»", "«6200000000000005»", "«6200000000000005123»", "«5018111111111111»",
        "«5610591081018250»", "«5900111111111111»", "«5700111111111111»", "«5800111111111111»", "1234567890123456",
        "42424242424242", "5655555555554444x", "2123003122003222", "2820992593319364", "351111111111111",
        "6012111111111111", "6435644564456445", "30669309025904", "37227206271667", "3630111333300000000",
        "6300000000000005", "5511111111111", "424242424242424242", "5218111111111111000", "510510510510510",
        "222300312200322", "«6011111111111111117»", "601111111111111", "650000000000000", "35301113333000",
        "353011133330000", "«3056930902590412»", "3056930902590", "362272062716671234", "3622720627166",
        "620000000000000", "62000000000000051234", "64456445644564", "501811111111111",
    ),
}  # fmt: skip

test_each_expression_has_texts_of_both_sorts, test_an_expression_matches_what_is_marked = checks(module, SHOWN)


@pytest.mark.parametrize("table", ["LEAST", "SHAPES"])
def test_the_order_of_a_table_changes_no_text(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one row has redacted, no other row matches."""
    texts = [plain(text) for texts in SHOWN.values() for text in texts]
    in_order = [module.clean_tokens(text, str, ids=False) for text in texts]
    monkeypatch.setattr(module, table, dict(reversed(getattr(module, table).items())))
    assert [module.clean_tokens(text, str, ids=False) for text in texts] == in_order
