"""The expressions for names and values in texts: what each must match, and what it must not."""

from __future__ import annotations

import pytest

from lambda_latency.runtime.redact import pairs as module
from tests.runtime.redact.expressions import Shown, checks, plain

SHOWN: Shown = {
    "PAIR": (
        "«password: »x", "«password=»x", "{'«api_key': »'x'", '{\\"«token\\": »\\"x\\"',
        "«a => »b «c := »d «e == »f «g != »h «i === »j", "«tokens[]=»x «pins[0]=»a", "**«Password**: »x", "“«pwd”: »x",
        "«密码\uff1a»x", "«パスワード\uff1d»x", "«password,»x", "<«x:»«password>»x", "<«pw><![CDATA[»«x]]>»",
        "f(«auth) = »x", "«db_password           = »x", "«a.b-c$d:\n  »x", "«a =          »x", "password x",
        "$password: x", "p", "$a=1", "a/ b", "«key    \t = »x", "«a\n:»x", "-=", "«a`=»x", "«a[123]=»x", "a[«1234]=»x",
        "«a=     »x", "«a\t\t\t\t=\t\t\t\t\t»x", "«a\n\n\n:\n\n\n\n»x", "a\n\n\n\n:x", "«a:\n\n\n\n»\nx",
        f"«a{'b' * 200}=»1", f"«a{' ' * 40}={' ' * 40}»x", f"a{' ' * 41}=x", "Unexpected token: x", "my «token: »x",
        "«seed phrase: »x", "«key → »x", "«Recovery code = »x", "«security answer: »x", "other «answer: »x",
    ),
    "NAMED": (
        '"name": «"password", "value": »"x"', "«'token', 'v': »'x'",
        "«'/shop/db/password', 'Type': 'String', 'Value': »'x'", '«\\"api-key\\", \\"val\\": »\\"x\\"',
        '«"token" value=»"x"', "«'a', 'b': 'c', 'd': 'e', 'f': 'g', 'Value': »1", "«'k' ,\n 'paramValue' : »x",
        "'a', 'b': 'c', 'd': 'e', 'f': 'g', 'h': 'i', 'Value': 1", "'token', 'other': 'x'", "'a b', 'value': 'x'",
        "token, 'value': 'x'", "'token' 'value': 'x'", "'token' value: x", "'token', 'valued': 'x'",
        "«'a.b', 'x': 'a.b/c:d-e', 'v': »1", "«'a' , 'x' : '' , 'v' : »1", "'', 'v': 1",
        '«\\"a\\", \\"t\\": true, \\"v\\": »1', "'a', 'al': 1", "«'a'  value=»1", "'a', '': 'b', 'v': 1",
        "«'a', 'x': 'b','v':»1", '«"a", "Value": {"S": »"x"}', "«'a', 'v': »{'N': '1'}",
    ),
    "NAMED_LINE": (
        "«DB_PASSWORD\n  value: »x", "«DB.a/b-c  \r\n value:    »x", "«pin\\n  value: »x",
        "«DbPassword,ParameterValue=»x", "«a,value=»x", "a\nvalue: x", "a\n  values: x", "a value: x", "a,Valued=x",
        "a,Value:x", "\n  value: x", "«a\\\\n  value: »x", "a\n  value:x", "a,al=1", "«a         \n value: »x",
    ),
    "FORM": (
        '«"password"\r\n\r\n»x', '«"a.b[c]-d"\n\n»x', '«"token"\r\nContent-Type: text/plain\r\nX-A: b\r\n\r\n»x',
        '«\\"token\\"\\r\\nContent-Type: a\\r\\n\\r\\n»x', '"password"\r\nx', '"a b"\r\n\r\nx',
        '"token"\r\nno header\r\n\r\nx', '"a";\r\n\r\nx', '«"t"\\\\r\\\\n\\\\r\\\\n»x', '«"t"\r\nA-1: \r\n\r\n»x',
        '""\r\n\r\nx', '"t"\r\nA:x\r\n\r\nx', '«"t"\nA: b\nC: d\nE: f\nG: h\nI: j\n\n»x', '«"t"\\r\\n\\r\\n»x',
    ),
    "TAGGED": (
        'name=«"api_key">»x', "«'token' type='s'>»x", "«Password</key>\n<string>»x",
        "«token</name><value><string>»x", "«a.b/c-d</k:ey><b>»x", '"token"/>x', "'token' <b>x", "token>x",
        "Password</key>x", "a b</key><c>x", "Password</key></dict>x", '"token" a/>x', '«"a.b">»1', '«"a/b">»1',
        '«"a-b">»1', '«"a">»1', '"">1', '"a>1', "«a</b.c><d>»1", "«a</b-c><d>»1", "«a</b> <c> <d> »1",
        "«a</b>\n<c>»1", "a</><c>1", "</b><c>1", "a</b><>1",
    ),
    "WITHIN[FORM]": ("«hunter2 x»\r\nb", "«hunter2»\\r\\n", "\r\nx", "\\x"),
    "WITHIN[TAGGED]": ("«hunter2»</a>", "</a>"),
    "LINES": (
        "«|\n    x\n    y»\nz", "«>-\n  x y»\nz", "«|+\n\tx»", "«|2 \n  x\n\n  y»", "«|-\\n  x\\n  y»\\nz", "|\nx",
        "| x\n  y", "x\n  y", "-\n  x", "«|\\\\n  x»", "«|\r\n  x\r\n  y»\r\nz", "«|\n  x\n \t\n  y»", "«|\n  x\\a»",
        "«|\n  ab\n  cd\n  ef»",
    ),
    "ELEMENT": (
        '«<wsse:Password Type="x">hunter2</»wsse:Password>', "«<pin a>1</»pin>", "<a>«<x-y.z b='1'>2</»x-y.z>",
        "<pin>1</pin>", "<pin a></pin>", "<pin a>1<b/>", "< pin a>1</pin>", "pin a>1</pin>", "«<a:pin b>1</»",
        "<:pin b>1</", "<pin>1</", "«<p b>1</»", "«<pin >1</»",
    ),
    "BARE": ("«hunter2!x» y", "«a,b)»;c", "«a»&b", '«<x>"»', ";a", "&", " a"),
    "BARE_ENDS": (
        "a«,»b=1", "a«,»b.c-d:1", "a«)»«)»", "a«]»«}»,", "a«}»", "a,b", "a)b", "a,=1", "a]x,", "a«)»«]»«]»",
        "a«)»«}»«}»", "a«]»«]»", 'true«,»"b":1«}»', 'a«)»"«)»',
    ),
    "STAND_INS": (
        "«{{ vault.db }}»", "«${{secret}}»", "«${API_KEY}»", "«[FILTERED]»", "«[MY KEY_X]»", "«%s»", "«%(pin)s»",
        "«%r»", "«%(n)d»", "«:pin»", "«$pin»", "«@pin»", "«***»", "«xxx»", "«...»", "«•••»", "«_?-»", "«<token here>»",
        "«<token»", "«[redacted]x»", "«Bearer»", "«Basic»", "hunter2", "[filtered]", "%x", "$a-b", "xyx", "bearer",
        "«{x}»", "«${API»", "$x{a}", "<a-b>", "${a b}", "«${a.b}»", "«${{ a.b }}»", "«<a b>»", "«[redacted]»",
        "[redacted", "«1.2.3»", "«v12.0»", "1.2a",
        "«var.db_password»", "«settings.key»", '«os.environ["API_KEY»', "«getpass(»", "my.word",
        "pass(word1!",
        '«request.headers.get("Authorization»', 'Some("x1', "decode('x1",
        "«This field is required.»", "«['This field may not be blank.']»", "«is too weak»",
        "«must have at least 8 characters»", "«Passwords do not match»", "«String should have at least 8 characters»",
        "«cannot be empty»", "«[ErrorDetail(string='This field is required.', code='required')]»",
        "«Missing data for required field.»", "correct horse battery staple", "is", "a required b",
        "to be or not to be", "legal winner thank year", "is required = x", "«/home/ada/.kube/config»",
        "/hunter", "/ab/C1d",
    ),
    "REVERSED": (
        "{'«value': 'x1y', 'name': 'DB_PW»'}", '"«Value": "x1y", "Key": "a/b-c»"', "«value: x1y\n  name: a.b»",
        '<input «value="x1y" name="csrf»">', '<meta «content="x1y" key="t»"',
        '{\\"«value\\":\\"x1y\\",\\"key\\":\\"a»\\"}',
        "value: xy, name: a", "«value: x1y; name: a»", "value: x1y, names: a", "«value=x1y  NAME = a»",
        "valued: x1y, name: a", '{"Parameter«Value":"x1y","ParameterKey":"a»"}',
    ),
    "CALL": (
        "«BasicAuth('admin', »\"x\")", "s.«login(user, »'x')", "«simple_bind_s('cn=ada,dc=x', »'p')",
        "«http_auth(a.b, »b'x')", "«hmac.new(»b'x', body)", "«crypt(»'x')", "«credential(a,»f'x')",
        "«Credentials(a, »u'x') «authenticate( 'a' , »r'x')", "login(user, pw)", "author('ada', 'x')",
        "login(a, b, 'c')", "hmac.new(key, x)", "login(f(x), 'y')", "xhmac.new('x')", "login('a')", "«login(a , »'x')",
        "login(, 'x')", "«crypt( »'x')", "«authenticate(a, »'x')", "«xauth(a,»'x')", "simple_bind_a('a', 'x')",
        "simple_bin('a', 'x')", "«credentials ('ada', »'x')", "«jwt.encode(a.b, »'x')", "«jwt.decode({'a': 'b'}, »'x')",
        "bcrypt.«hashpw(»b'x', salt)", "«Fernet(»b'x')", "«AES.new(»'x', 1)", "jwt.encode(a, key)", "AES.old('x')",
        "new «PDO('a:b=c', 'ada', »'x')", 'x.«getConnection("a:b", "ada", »"x")', "PDO('a', »'x')".replace("»", ""),
    ),
    "SCHEME": (
        "Authorization: «Bearer abc.DEF-_~+/=1»", "«basic  YWRhOnB3»", "«bearer 'abc123»'", '«Token "abc123»"',
        "«Bearer+abc123»", "«bearer%20abc%31» x", "«negotiate YIIabc»", "bearer abc", "xbearer abcdef", "bearerabcdef",
        "digest abcdef", '«Bearer realm=»"x"', "bearer abcde", "«bearer%20abcdef»",
    ),
    "SAID": (
        "«API key: hunter2»", "the «password is hunter2» x", "«token 'hunter2»'", "«SecretStr('hunter2»')",
        "«access_key = hunter2»", "«signing-key provided: hunter2»", "«private key was hunter2»",
        "«one-time code: 123456»", "«unlock code 123456»", "«security code: 123456»", "«verification code is 123456»",
        "«recovery code 123456»", "«backup code 123456»", "«access code 123456»", "«pass word: hunter2»",
        "«passphrase hunter2»", "db_«passwd: hunter2»", "«apikey hunter2»", "my_«secret: hunter2»", "«pwd 'hunter2»'",
        "ConvertTo-«SecureString 'hunter2»'", "«account key: hunter2»", "«encryption key: hunter2»",
        '«pass-word "hunter2»"', "«password (hunter2)»", "password: short", "key: hunter2", "password=hunter2",
        "password: 'a b c d'", "pass: hunter2", "kubectl get secret hunter2", "«secret hunter2»",
        "«credentials hunter2»", "«authorization code hunter2»", "«password was changed from hunter2»",
        "password\n\n\n\n\nhunter2", "code: 123456", "xsecurity code 123456",
        "the «apikey 'hunter2»'", '«token "hunter2»"', "«token   hunter2»", "«token: hunter2»", "«token   hunter2»",
        "«password for ada = hunter2»", "«Password for user a@b.c is hunter2»", "«Passwort für ada: hunter2»",
        "Das «Passwort lautet hunter2»", "«mot de passe 'hunter2»'", "La «contraseña hunter2» no", "«senha: hunter2»",
        "«hmac key b'hunter2»'", "«AES key: hunter2»", "«license key hunter2»", "«reset code: hunter2»", "«OTP 1234»",
        "«login with ada:hunter2»", "«logged in as ada/hunter2»", "«basic auth ada:hunter2»", "logged in as hunter2",
        "password for order 12 is", "«token is base64-encoded»", "otp: 123", "authority with a",
        "«password for user 'ada' set to 'hunter2»'", "«password of ada to hunter2»", "«password set to hunter2»",
        "«session id hunter2»", "«authToken hunter2»",
        "mysecret hunter2", "«token value hunter2»", "«master key: hunter2»", "«one-time password is 123456»",
        "«123456 is your login code»", "Use «1234 as your code»", "1234 is a code",
    ),
    "STATED": (
        "WITH «PASSWORD 'hunter2'» LOGIN", "«password\n'hunter2'»", "«IDENTIFIED BY 'hunter2'»",
        "«identified by 'hunt'»",
        "«PRAGMA key = 'hunter2'»", "«pragma rekey = 'hunter2'»", "pragma keys = 'hunter2'",
        "Password 'hunter2'", "PASSWORD 'abc'", "PASSWORD hunter2", "xPASSWORD 'hunter2'",
        "PASSWORD 'a bcd'", "PASSWORD'hunter2'",
    ),
    "TYPED": (
        "password:« str = »'x'", 'pw:« Optional[str] | None=»"x"', "pin:« int = »5", "a:«t.b = »rb'x'", "a: = 'x'",
        "a: str == 'x'", "a: f(x) = 'y'", "a: str = b", "a: str", "«\nstr = »U'x'", ":« a = »f'x'", ":« a=»u'x'",
        ":« a=»R'x'", ":« a=»B'x'", ":« a=»F'x'", ":« a=»Ur'x'", ":= 'x'", "a:« b = »5", "a: b = x",
    ),
    "QUOTED": (
        "«'»x'", '«"""»x"""', "«'''»x'''", "«rb'»x'", "«`»x`", '«\\"»x\\"', '«F"»x', "x'", "zz'x'", "rbf'",
        " 'x'", "\\x", "«R'»x'", "«u'»x'", "«b'»", "«B'»", "«U'»", "«f'»", '«Rb"»x',
    ),
    "LINE": (
        "«Digest username=\"ada\", response='x'»\r\nnext", '«OAuth a="b"»', '«Signature k="b"»\n',
        '«Hawk id="b"»', '«Basic YWRh; x»"y', "«a b»\nc", '«Digest»"x"', '"x', "\nx", "'x", "`",
    ),
    "ENTRY": (
        '«  File "»a.py"', '«  | + File "»x', '«File "»x', "  File x", '  at File "x', "x", '«- File "»x',
    ),
    r"[bru]?\\*[\"'`]-": ("«'-»p'", "«b'-»p'", '«\\"-»a', "'p-", "-'p"),
    "CODE": (
        "grant_type=a&«code=hunter2», b", "'«code': 'hunter2»'", '{\\"«code\\": \\"hunter2»\\"}',
        "«code: a/b+c~d%e!f»&a",
        "status_code=hunter2", "code=E1", "encode=hunter2", "a.code=hunter2",
    ),
    "ESCAPED_SOURCE": (
        '\\n  «File "/a.py", line 3, in f\\n    x = 1\\n    ~~~»\\n  File "/b.py", line 4\\nE: no',
        '«File \\\\"/a.py\\\\", line 3\\\\n    x("b")»\\\\nE', 'File "/a.py", line 3\\n  x', 'File "/a.py"\\n    x',
    ),
    "SPOKEN": (
        "«orders/db7»", "«a.b/c-d/e_f»", "orders", "a/B1", "a7/b", "«base64-encoded»", "«SHA256»", "«oauth2/client»",
        "«rs256»", "«x509»", "base65", "sha256x1", "«a(b1»", "«a=b1»", "a1==",
    ),
    r"(?i)(?:code|otp\b|one-time)": ("reset «code»: 1", "«OTP»", "«One-time» password", "otps", "pin"),
    r"[\w.+/=-]*\d[\w.+/=-]*": ("{'id': '«ab1=»', «2»}", "{'count': n}"),
    "PART": ("«id=a,src=b»", "password=x"),
    r"\\*[\"'`],": ("«',»x", '«\\",»', "',".replace("'", ""), "'x,"),
    r"(\w+)\\*[\"']?\s*:": ("{«a:»1, '«b' :»2, \\\"«c\\\":»3}", "{a, 'b'}"),
    r"\d": ("a«1»b", "ab"),
    r"\d.*": ("db_password«2x»", "password"),
    r"\d{3,}": ("«1234»", "«123»a", "12", "a123"),
    r"\\*[\"'`](?!-)": ("«'»x", '«\\"»x', "«`»", "'-x", "x'", "\\x"),
    r"\{[^{}]*\}|(?i:bearer|basic|token)": ("«Bearer» «{token}»abc", "«TOKEN»«{}»«basic»", "{x", "abc }"),
}  # fmt: skip

test_each_expression_has_texts_of_both_sorts, test_an_expression_matches_what_is_marked = checks(module, SHOWN)


@pytest.mark.parametrize("table", ["WITHIN"])
def test_the_order_of_a_table_changes_no_text(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No text has two forms at one place."""
    texts = [plain(text) for texts in SHOWN.values() for text in texts]
    in_order = [module.clean_pairs(f"name={text}", source=False) for text in texts]
    monkeypatch.setattr(module, table, dict(reversed(getattr(module, table).items())))
    assert [module.clean_pairs(f"name={text}", source=False) for text in texts] == in_order
