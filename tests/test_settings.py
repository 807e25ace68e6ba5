"""The settings: checked at init, each error with the name of its variable."""

import pytest

from functions.settings import Settings, SettingsError
from orders_api import imported

RIGHT = {"ORDERS_TABLE": "orders", "PAYMENTS_URL": "https://pay.example/v1/", "PAYMENTS_TIMEOUT_MS": "1500"}
TABLE = "ORDERS_TABLE must be the name of a DynamoDB table, 3 to 255 letters, digits or _ . -, got"
URL = "PAYMENTS_URL must be an http or https address such as https://payments.example.com/v1"
TIMEOUT = "PAYMENTS_TIMEOUT_MS must be a whole number of milliseconds from 1 to 29000, got"


def test_right_settings_are_read() -> None:
    """The timeout in seconds, the address without its last slash."""
    assert Settings.read(RIGHT) == Settings("orders", "https://pay.example/v1", 1.5)


def test_the_timeout_is_three_seconds_by_default() -> None:
    """It is the only setting that has a default."""
    assert Settings.read({"ORDERS_TABLE": "orders", "PAYMENTS_URL": "http://127.0.0.1:1"}) == Settings(
        "orders", "http://127.0.0.1:1", 3.0
    )


@pytest.mark.parametrize("value", ["1", "29000", "0003000"])
def test_the_limits_of_the_timeout_are_allowed(value: str) -> None:
    """Both ends of the range."""
    assert Settings.read(RIGHT | {"PAYMENTS_TIMEOUT_MS": value}).payments_timeout_s == int(value) / 1_000


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ORDERS_TABLE", "", f"{TABLE} nothing"),
        ("ORDERS_TABLE", "ab", f"{TABLE} 'ab'"),
        ("ORDERS_TABLE", "my table", f"{TABLE} 'my table'"),
        ("ORDERS_TABLE", "x" * 256, f"{TABLE} '{'x' * 256}'"),
        ("PAYMENTS_URL", "", f"{URL}, got nothing"),
        ("PAYMENTS_URL", "pay.example", f"{URL}, got 'pay.example'"),
        ("PAYMENTS_URL", "ftp://pay.example", f"{URL}, got 'ftp://pay.example'"),
        ("PAYMENTS_URL", "https://", f"{URL}, got 'https://'"),
        ("PAYMENTS_URL", "https://:443", f"{URL}, got 'https://:443'"),
        ("PAYMENTS_URL", "https://pay.example:port", f"{URL}, got 'https://pay.example:port'"),
        ("PAYMENTS_URL", "https://pay.example:0", f"{URL}, got 'https://pay.example:0'"),
        ("PAYMENTS_URL", "https://[::1", f"{URL}, got 'https://[::1'"),
        ("PAYMENTS_URL", "https://pay.example/?a=1", f"{URL}, got 'https://pay.example/?a=1'"),
        ("PAYMENTS_URL", "https://pay.example/#a", f"{URL}, got 'https://pay.example/#a'"),
        ("PAYMENTS_URL", "https://pay.example/a b", f"{URL}, got 'https://pay.example/a b'"),
        ("PAYMENTS_URL", "https://pay.example\n", f"{URL}, got 'https://pay.example\\n'"),
        ("PAYMENTS_URL", "https://ada:s3cret@pay.example", f"{URL}, without user name or password"),
        ("PAYMENTS_TIMEOUT_MS", "", f"{TIMEOUT} nothing"),
        ("PAYMENTS_TIMEOUT_MS", "3s", f"{TIMEOUT} '3s'"),
        ("PAYMENTS_TIMEOUT_MS", "1.5", f"{TIMEOUT} '1.5'"),
        ("PAYMENTS_TIMEOUT_MS", "0", f"{TIMEOUT} '0'"),
        ("PAYMENTS_TIMEOUT_MS", "-1", f"{TIMEOUT} '-1'"),
        ("PAYMENTS_TIMEOUT_MS", "29001", f"{TIMEOUT} '29001'"),
        ("PAYMENTS_TIMEOUT_MS", " 3 ", f"{TIMEOUT} ' 3 '"),
        ("PAYMENTS_TIMEOUT_MS", "1_000", f"{TIMEOUT} '1_000'"),
        ("PAYMENTS_TIMEOUT_MS", "٣", f"{TIMEOUT} '٣'"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_seen_and_what_is_right(name: str, value: str, says: str) -> None:
    """The whole message, and only about the variable that is wrong."""
    with pytest.raises(SettingsError) as raised:
        Settings.read(RIGHT | {name: value})

    assert str(raised.value) == says


def test_all_wrong_settings_are_named_at_once() -> None:
    """One deployment is enough to learn of them all."""
    with pytest.raises(SettingsError) as raised:
        Settings.read({"PAYMENTS_TIMEOUT_MS": "soon"})

    assert str(raised.value) == f"{TABLE} nothing; {URL}, got nothing; {TIMEOUT} 'soon'"


def test_a_wrong_setting_fails_the_import_of_the_handlers() -> None:
    """So it fails at init, before any request."""
    expected = pytest.raises(Exception, match=r"^PAYMENTS_TIMEOUT_MS must be .*, got '3s'$")
    with expected, imported(PAYMENTS_URL="https://pay.example", PAYMENTS_TIMEOUT_MS="3s"):
        pass
