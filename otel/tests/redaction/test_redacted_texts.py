"""Texts that real functions log and send: what leaves of them."""

import pytest

from lambda_latency.redaction import Redaction, clean
from lambda_latency.redaction.statements import clean_statement

SECRET = "Sommer!309z"  # neither a shape of a token nor random
PLAIN_B64 = "rO5CLGqueoj018JVwO7Dr7UztMkBc3qJ9L3IzzAdnjdmQ8mk3X0xn6OoTkkovmh6U7ufORqYQysgjXofSJrUanerCFia5wXIAc8mWqQ"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://hooks.zapier.com/hooks/catch/1234567/A064GiIjH/",
         "https://hooks.zapier.com/hooks/catch/1234567/[redacted]/"),
        ("nats://app:pw1@n1:4222,nats://app:pw2@n2:4222", "nats://n1:4222,nats://n2:4222"),
        (f"jdbc:oracle:thin:scott/{SECRET}@//db:1521/orcl failed", "jdbc:oracle:thin://db:1521/orcl failed"),
        (f"jdbc:oracle:thin:scott/{SECRET}@db:1521:orcl", "jdbc:oracle:thin:db:1521:orcl"),
        ("mailchimp 33296c87009e8a7f770d9106fd287db7-us12", "mailchimp [redacted]"),
        ('Authorization: Digest username="ada", realm="r", response="32a5d575cdab37e328cf759ec646f3a7"\nnext',
         "Authorization: [redacted]\nnext"),
        ("{'Parameter': {'Name': '/shop/db/password', 'Type': 'String', 'Value': 'letmein', 'Version': 3}}",
         "{'Parameter': {'Name': '/shop/db/password', 'Type': 'String', 'Value': '[redacted]', 'Version': 3}}"),
        ("{'Name': '/shop/db', 'Type': 'SecureString', 'Value': 'letmein'}",
         "{'Name': '/shop/db', 'Type': 'SecureString', 'Value': '[redacted]'}"),
        (f"Command '['sshpass', '-p', '{SECRET}', 'scp']'", "Command '['sshpass', '-p', '[redacted]', 'scp']'"),
        (f'Content-Disposition: form-data; name="password"\r\n\r\n{SECRET}\r\n--b',
         'Content-Disposition: form-data; name="password"\r\n\r\n[redacted]\r\n--b'),
        (f'b\'form-data; name="token"\\r\\nContent-Type: text/plain\\r\\n\\r\\n{SECRET}\\r\\n--b\'',
         'b\'form-data; name="token"\\r\\nContent-Type: text/plain\\r\\n\\r\\n[redacted]\\r\\n--b\''),
        (f'<wsse:Password Type="x#PasswordText">{SECRET}</wsse:Password>',
         '<wsse:Password Type="x#PasswordText">[redacted]</wsse:Password>'),
        (f"&lt;password&gt;{SECRET}&lt;/password&gt;", "<password>[redacted]</password>"),
        (f"{{&quot;password&quot;: &quot;{SECRET}&quot;}}", '{"password": "[redacted]"}'),
        # Slashes and ampersands that JSON and HTML escape are read as such; without a secret the text stays
        (r'{"at": "https:\/\/ada:pw1@h\/a", "b": "c&amp;amp;d"}', '{"at": "https://h/a", "b": "c&d"}'),
        (r'{"at": "https:\/\/h\/a", "b": "c&amp;amp;d"}', r'{"at": "https:\/\/h\/a", "b": "c&amp;amp;d"}'),
        ("{'security_answer': 'Fluffy the 3rd'}", "{'security_answer': '[redacted]'}"),
        (f"mot_de_passe={SECRET}", "mot_de_passe=[redacted]"),
        (f'{{"k": "api_key", "v": "{SECRET}"}}', '{"k": "api_key", "v": "[redacted]"}'),
        (f'[{{"ParameterKey": "DbPassword", "ParameterValue": "{SECRET}"}}]',
         '[{"ParameterKey": "DbPassword", "ParameterValue": "[redacted]"}]'),
        (f"env:\n- name: DB_PASSWORD\n  value: {SECRET}\n- name: TZ\n  value: UTC",
         "env:\n- name: DB_PASSWORD\n  value: [redacted]\n- name: TZ\n  value: UTC"),
        (f"db:\n  password: |-\n    {SECRET}\n  port: 5432", "db:\n  password: |-\n    [redacted]\n  port: 5432"),
        (f"no ldap.simple_bind_s('cn=ada,dc=x', '{SECRET}')", "no ldap.simple_bind_s('cn=ada,dc=x', '[redacted]')"),
        ("near CREATE USER app WITH PASSWORD 'letmein' LOGIN", "near CREATE USER app WITH PASSWORD ? LOGIN"),
        ("{'access_code': 'letmein'}", "{'access_code': '[redacted]'}"),
        ("curl -H 'Authorization: Bearer \"Sommer-309z\"'", "curl -H 'Authorization: Bearer \"[redacted]\"'"),
        ("key v1.0-b7c6bd08bc9edab44f626faa-" + 5 * "04db3ff4c3dccd6c6a165356f110bd03", "key [redacted]"),
        ("key sk_8b244aab6b9de8005b37b92acfe0a7ca0ddc5d66", "key [redacted]"),
        ("key sdk-0b5a7c1e-1234-4abc-8def-0123456789ab", "key [redacted]"),
        ("key glffct-9GN4kaDTpH1ZvYiA8MfS", "key [redacted]"),
        (f"bindpw: {SECRET}", "bindpw: [redacted]"), (f"psk={SECRET}", "psk=[redacted]"),
        (f"api_key '{SECRET}' was not found", "api_key '[redacted]' was not found"),
        (f'"Api Key": "{SECRET}"', '"Api Key": "[redacted]"'), (f"api key = {SECRET}", "api key = [redacted]"),
        ("backup_codes=['a1b2c3d4', 'e5f6']", "backup_codes=[redacted]"),
        (f"unlock code: {SECRET}", "unlock code: [redacted]"),
        (f"パスワード: {SECRET}", "パスワード: [redacted]"),
        (f"[SQL: CALL login('ada', '{SECRET}')]", "[SQL: CALL login(?, ?)]"),
        (f"(Error) no [SQL: SELECT $${SECRET}$$::text]\n(Background on this)",
         "(Error) no [SQL: SELECT ?::text]\n(Background on this)"),
        (f"1 error for L\npassword\n  no [type=value_error, input_value='{SECRET}', input_type=str]",
         "1 error for L\npassword\n  no [type=value_error, input_value=[redacted], input_type=str]"),
        (f"Failed schema validation. Error: data.password must be long, Path: ['data', 'password'], Data: {SECRET}",
         "Failed schema validation. Error: data.password must be long, Path: ['data', 'password'], Data: [redacted]"),
        (f"[{{'type': 'short', 'loc': ('body', 'password'), 'msg': 'too short', 'input': '{SECRET}', 'ctx': {{}}}}]",
         "[{'type': 'short', 'loc': ('body', 'password'), 'msg': 'too short', 'input': '[redacted]', 'ctx': {}}]"),
        (f"1 validation error for L\\npin\\n  no [type=a, input_value='{SECRET}', input_type=str]",
         "1 validation error for L\\npin\\n  no [type=a, input_value=[redacted], input_type=str]"),
        (f"db_host     = h\ndb_password = {SECRET}\npin_code           = {SECRET}",
         "db_host     = h\ndb_password = [redacted]\npin_code           = [redacted]"),
        (f"user[password]={SECRET}&tokens[]={SECRET}1&pins[0]=a",
         "user[password]=[redacted]&tokens[]=[redacted]&pins[0]=a"),
        (f"**Password**: {SECRET}", "**Password**: [redacted]"), (f"“pwd”: {SECRET}", "“pwd”: [redacted]"),
        (f"密码\uff1a{SECRET}", "密码\uff1a[redacted]"),
        (f"パスワード\uff1d{SECRET}", "パスワード\uff1d[redacted]"),
        (f"<x:password>{SECRET}</x:password>", "<x:password>[redacted]</x:password>"),
        (f"<pw><![CDATA[{SECRET}]]></pw>", "<pw><![CDATA[[redacted]></pw>"),
        (f'<string name="api_key">{SECRET}</string>', '<string name="api_key">[redacted]</string>'),
        (f"<key>Password</key>\n<string>{SECRET}</string>", "<key>Password</key>\n<string>[redacted]</string>"),
        (f"<name>token</name><value><string>{SECRET}</string></value>",
         "<name>token</name><value><string>[redacted]</string></value>"),
        (f"credentials: secret_key_base: {SECRET}", "credentials: secret_key_base: [redacted]"),
        (f"bad password ({SECRET})", "bad password ([redacted])"),
        (f"X-Signature: t=1,v1={SECRET}\nHost: h", "X-Signature: [redacted]\nHost: h"),
        (f"{{'ConfirmationCode': '{SECRET}'}}", "{'ConfirmationCode': '[redacted]'}"),
        ("key dt0c01.ST2EY72KQINMH574WMNVI7YN." + "G3DFPBEJYMODIDAEX454M7YWBUVEFOWK" * 2, "key [redacted]"),
        (f'{{"\\u043f\\u0430\\u0440\\u043e\\u043b\\u044c": "{SECRET}"}}', '{"пароль": "[redacted]"}'),
    ],
)  # fmt: skip
def test_a_text_of_a_real_function_loses_its_secret(text: str, expected: str) -> None:
    """Web hooks, drivers, command lines, forms, markup, validators."""
    assert clean(text, ()) == expected


# What is between a name and its value, which no rule recognizes by itself
PLACES = (
    "NAME=letmein&a=b", "(NAME: letmein)", "NAME => letmein", "{'a': 1, 'NAME': 'letmein'}", r'{\"NAME\":\"letmein\"}',
    "a[NAME]=letmein", "--NAME letmein", "['--NAME', 'letmein']", "x <NAME>letmein</NAME> y", '<NAME a="b">letmein<',
    '<a b="c" name="NAME" d>letmein</a>', "<key>NAME</key>\n<string>letmein</string>", "- name: NAME\n  value: letmein",
    '{"name": "NAME", "type": "a", "value": "letmein"}', '{"value": "letmein", "key": "NAME"}',
    "name=NAME&value=letmein", '<add key="NAME" value="letmein"/>', 'form-data; name="NAME"\r\n\r\nletmein\r\n--b',
    "1 error\nNAME\n  no [type=a, input_value='letmein', input_type=str]", "Path: ['a', 'NAME'], Data: letmein",
    "[{'loc': ('body', 'NAME'), 'msg': 'a', 'input': 'letmein'}]", "On instance['NAME']:\n    'letmein'",
    "NAME: |\n  letmein\nb: 1", "NAME%3Dletmein", "NAME&#61;letmein", r"x\nNAME=letmein", "NAME: str = 'letmein'",
    'NAME: {"a": "letmein"}', '  File "/a.py", line 3, in f\n    NAME = \'letmein\'\nValueError',
)  # fmt: skip


@pytest.mark.parametrize("name", ["password", "DB_PASSWORD", "clientSecret", "app.auth.token", "pin", "master_key"])
@pytest.mark.parametrize("place", PLACES)
def test_what_follows_a_secrets_name_does_not_leave(name: str, place: str) -> None:
    """Whatever is between them, and whatever the value is."""
    assert "letmein" not in clean(place.replace("NAME", name), ())


def test_a_short_value_that_is_refused_changes_nothing_else() -> None:
    """Not the same characters in the rest of the message."""
    text = "1 validation error for App\napp_pin\n  too short [type=a, input_value={}, input_type=str]"
    assert clean(text.format("a"), ()) == text.format("[redacted]")
    assert clean(text.format(""), ()) == text.format("")


def test_a_value_that_a_schema_refuses_is_redacted_by_its_path() -> None:
    """At both places of jsonschema's message."""
    text = (
        "{0} is too short\n\nFailed validating 'minLength' in schema['properties']['password']:\n"
        "    {{'minLength': 20}}\n\nOn instance['password']:\n    {0}"
    )
    assert clean(text.format(repr(SECRET)), ()) == text.format("[redacted]")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"client = httpx.Client(auth=httpx.BasicAuth('admin', \"{SECRET}\"))",
         'client = httpx.Client(auth=httpx.BasicAuth(\'admin\', "[redacted]"))'),
        (f"server.login(user, '{SECRET}')", "server.login(user, '[redacted]')"),
        ("server.login(user, password)", "server.login(user, password)"),
        ("author('ada', 'Lovelace')", "author('ada', 'Lovelace')"),
    ],
)  # fmt: skip
def test_a_source_line_loses_the_password_that_is_handed_to_a_call(line: str, expected: str) -> None:
    """By its place: after the user's name."""
    stack = '  File "/var/task/app.py", line 5, in handler\n    {}\nOSError: no\n'
    assert clean(stack.format(line), ()) == stack.format(expected)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (f"AUTH {SECRET}", "AUTH ?"),
        (f"AUTH default {SECRET}", "AUTH ?"),
        (f"HELLO 3 AUTH default {SECRET}", "HELLO 3 AUTH ?"),
        (f"ACL SETUSER ada on >{SECRET}", "ACL SETUSER ?"),
        (f"CONFIG SET requirepass {SECRET}", "CONFIG SET requirepass ?"),
        ("CONFIG SET maxmemory 100mb", "CONFIG SET maxmemory 100mb"),
        ("GET author", "GET author"),
    ],
)
def test_a_redis_command_loses_its_password(statement: str, expected: str) -> None:
    """What instrumentations write of commands whose arguments are no keys."""
    assert clean_statement(statement) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Access denied for user 'root'@'10.0.0.5' (using password: YES)",
        "SyntaxError: unexpected token: ')'",
        "pin=5 of the board is low", "sig=5", "sid: 5",
        "token=<redacted>",
        "https://api.stripe.com/v1/charges/ch_3MmlLrLkdIwHu7ix0snN0B15",
        "https://api.example.com/teams/T024BE7LD/channels/C024BE91L",
        "Max retries exceeded with url: /v1/charges/ch_3MmlLrLkdIwHu7ix0snN0B15 (Caused by X)",
        f"data:image/png;base64,{PLAIN_B64}",
        f"-----BEGIN CERTIFICATE-----\n{PLAIN_B64}\n{PLAIN_B64}==\n-----END CERTIFICATE-----",
        f"-----BEGIN PUBLIC KEY-----\n{PLAIN_B64}\n-----END PUBLIC KEY-----",
        f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA{PLAIN_B64[:43]} ada@h",
        "integrity sha256-wlrLPOW8IEt55mmQQdkCHWY+RXUuC5bF5TyuAiQfJ9s= differs",
        f"host key SHA256:{PLAIN_B64[:43]}", f"{{'HostId': '{PLAIN_B64[:76]}'}}",
        'WWW-Authenticate: Bearer realm="api", error="invalid_token"',
        '[{"ParameterKey": "InstanceType", "ParameterValue": "t3.micro"}]', "sk_customer_2024_orders_index_7",
        "['pg_dump', '--no-password', '--host', 'db.internal']", "- name: LOG_LEVEL\n  value: debug",
        "https://hooks.example.com/orders/5",
        "arn:aws:iam::123456789012:role/service-role/TokenRotationRole-1A2B3C4D5E6F",
        "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
        "deploy ParameterKey=InstanceType,ParameterValue=t3.micro", "Command '['mysql', '-p', 'shop']'",
        "password (at least 8 characters)", "the access key is missing, see page A5512", "docker login -u ada",
        "token=[FILTERED]", "api_key=${API_KEY}", "password={{ vault.db }}",
        'form-data; name="note"\r\n\r\nSommer!309z\r\n--b', '<item name="title">Sommer!309z</item>',
        "<key>Title</key><string>Sommer!309z</string>", '<input name="password"/>Your password has 12 characters<br>',
        "注文番号\uff1aA-5512", "items[]=a1", "**Note**: Sommer!309z",
        "column token varchar(64) is missing",
        "[{'type': 'short', 'loc': ('body', 'name'), 'msg': 'too short', 'input': 'Sommer!309z'}]",
        "docker run -p 8080:80 -a STDOUT shop", "mkdir -p a1/b2", "zip -r a.zip b",
        "1 validation error for Order\nprice\n  bad [type=value_error, input_value='Sommer!309z', input_type=str]",
        "'abc' is too short\n\nFailed validating 'minLength' in schema['properties']['name']",
        '<Name Type="x">Sommer!309z</Name>', "a &lt; b &amp;&amp; c &gt; d",
    ],
)  # fmt: skip
def test_a_harmless_text_stays(text: str) -> None:
    """Ids in paths, pictures, certificates, words about secrets."""
    assert clean(text, ()) == text


def test_a_truth_value_is_no_secret() -> None:
    """`has_token` says whether there is one."""
    attributes = {"app.has_token": False, "pin": 1234}
    redacted = {key: Redaction(None, 100).value(key, value) for key, value in attributes.items()}
    assert redacted == {"app.has_token": False, "pin": "[redacted]"}
