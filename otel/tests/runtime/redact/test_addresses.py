"""The expressions for URLs and paths: what each must match, and what it must not."""

from __future__ import annotations

from lambda_latency.runtime.redact import addresses as module
from tests.runtime.redact.expressions import Shown, checks

SHOWN: Shown = {
    "HOOKS": (
        "«hooks.»slack.com", "«hook.»eu1.make.com", "«acme.webhook.»office.com", "«webhooks.»x", "«a.b.hooks.»x",
        "hooks", "myhooks.example.com", "hookline.com",
    ),
    "WORD": ('«GET» «/a?b=1#c» <«https://h»> "«x»"', ' <>" \n'),
    "QUERY": ("«page=»2&token=x", "«filter[a.b]~%-=»x", f"«{'a' * 80}=»x", f"{'a' * 81}=x", "a b=1", "=x", "«a=»1"),
    r"[a-z]{1,16}@[^@]*": ("«git@h»", "«ada@h:22»", "ada:x@h", "a1@h", "a@b@h", "@h", f"{'a' * 17}@h"),
    r"[/?#]": ("host«/»path«?»a«#»b", "host:80"),
    "PLAIN": (
        "«confirm»", "«reset-password»", "«reset_password-now»", "«index.html»", "«v2»", "«12345»", "«{token}»",
        "«<uuid>»", "«:id»", "«*.js»", "«$id»", "«[redacted]»", "«bot[redacted]/x»", "abc1def", "a-b-c-d", "Confirm",
        "1234567890", "vv2", "index.h", "index.htmlxx", "abcdefghijklmnopq", "x{token}", "«a»", "«a-b-c»", "«a.js»",
        f"«{'a' * 16}-{'b' * 16}»", f"a-{'b' * 17}", "«index.short»", "«1»", "«123456789»", "«Bot[redacted]»", "«»",
    ),
    "NAMES": (
        "«CheckoutSession»", "«abc123»", "«Order12-v2_Items»", "«order-20240131-eu»", "«photo.1a2b3c4d.jpg»",
        "«a1.b2»", "a1b2c3d4", "abc1234", "1abc", "«Order123»", "Order1234",
    ),
    "USER": (
        "«ada:pw@»db.internal:5432/x", "«ada:pw@»tcp(db)/x", "«ada.b-c:p%w@»unix(/s)", "mail ada@example.com",
        "ada:pw@db", "ada:pw@db:5", "ada:p/w@db:5432", "ada: pw@db:5432", "ada:pw@db:5432x", "ada:pw@db:543210",
        f"«{'u' * 64}:{'p' * 128}@»h:80", "«a:b@»h:80", "x «a:b@»h:80", ":b@h:80", "a:@h:80", "«a:b@»my-host:80",
        "a:b@:80", f"«a:b@»{'h' * 128}:80", "a:b@tcp", "a:b@unix", "«a:b@»h:54321",
        "'«a:b@»h.example.com/v1'", "mailto:a@h.example.com", "image:a1@sha256:0a12f", "a:b@h/v1",
    ),
    "PARAMETER": (
        "/a«;jsessionid=A1B2»", "/a«;v=1»«;sid=x»/b?c=1", "/a«;x.y-z=1»#f", "x«;a=»", "/a;b/c", "/a?b=1", "/a;=1",
        "'x«;a=1»'", "<x«;a=1»>", f"a«;{'n' * 64}=1»", f"a;{'n' * 65}=1",
    ),
}  # fmt: skip

test_each_expression_has_texts_of_both_sorts, test_an_expression_matches_what_is_marked = checks(module, SHOWN)
