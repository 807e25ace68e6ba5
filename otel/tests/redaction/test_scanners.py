"""Secrets and harmless texts of two scanners' own tests, drawn and fixed before redaction had seen them."""

import json
from pathlib import Path

from lambda_latency.redaction import clean

DRAWN = json.loads(Path(__file__).with_name("scanners.json").read_text("utf-8"))
# No name, no prefix and no length tells these from an id.
LEAVE = {"deadbeef"}  # `BUNDLE_ENTERPRISE__CONTRIBSYS__COM = cafebabe:deadbeef`
CHANGE = {
    'curl -XPOST http://localhost:8080/api/token -H "Authorization: basic {base64(email:password[\\n])}" => token',
    "https://docs.google.com/document/d/1W7KCxOxP-1Fy5EyF2lbJGE2WuKmu5v0suYqoHas1jRM",
    "http://assets.r7.com/assets/media_box_tv_tres_colunas/video_box.ico-7a388b69018576d24b59331fd60aab0c.png",
    *[text for _, text in DRAWN["harmless"] if text.startswith('+ "<Trust Comment=')],  # a key of Freenet
}


def test_the_secrets_of_two_scanners_do_not_leave() -> None:
    """60 of gitleaks and detect-secrets; those that leave are known."""
    assert {secret for _, text, secret in DRAWN["secret"] if secret in clean(text, ())} == LEAVE


def test_the_harmless_texts_of_two_scanners_stay() -> None:
    """60 that they are not to report; those that change are known."""
    assert {text for _, text in DRAWN["harmless"] if clean(text, ()) != text} == CHANGE
