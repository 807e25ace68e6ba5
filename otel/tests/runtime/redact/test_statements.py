"""The expressions for SQL: what each must match, and what it must not."""

from __future__ import annotations

import pytest

from lambda_latency.runtime.redact import statements as module
from tests.runtime.redact.expressions import Shown, checks, plain

STATEMENTS = (
    "select", "insert", "update", "delete", "merge", "with", "replace", "call", "exec", "execute", "create", "alter",
    "grant", "set", "copy", "declare", "begin", "explain", "values", "upsert", "drop", "truncate", "do", "load",
)  # fmt: skip
SHOWN: Shown = {
    "BEGIN": (
        "«SELECT» * FROM t", "«  /* trace\n id */ -- x\n select» 1", "«((SELECT» 1)", "«insert» into t",
        "«With» x as (y)", "selected rows", "GET author", "x SELECT 1", "/* a */ GET",
        *(f"«{verb}» x" for verb in STATEMENTS), "«/* a *//* b */--x\nSELECT» 1", "« SELECT»", "/ a */ SELECT",
        "-x\nSELECT 1", "/* a SELECT 1", "--x SELECT 1",
    ),
    "LITERAL": (
        "a = «'it''s'» AND b", "«N'x'» «e'a\\'b'» «X'1f'» xN«'x'»", "«'cut»", "«$$x$$» «$tag$ y $z$ $tag$»", "«$$cut»",
        "x > «1.5e-3», «0xFF» (- «12»)", 'col1 t.1 $1 @2 :3 %4 "5 `6 [7 -8 9a', "a b",
        "«n'x'» «E'x'» «b'x'» «B'x'» «x'x'»", "«$a$ 'x' $a$»", "«$a$x$$y$a$»", "«0x1f» «0x9F»",
        "«12.5» «1e10» «2E-12»", '5" 5`', "a«'x\ny'»", "«$$x\ny$$»",
    ),
    "OPERAND": (
        'a «="x"» and b «> "y""z"»', 'a «LIKE "x\\"y"» b', 'a «identified by "x"»', 'a «between "x"» and', 'a <«>"x"»',
        'SELECT "x"', 'a = "t" . "c"', "a = t", 'a «regexp "x"» «ilike "y"» «rlike "z"»', 'unlike "x"', 'a «<"x"» b',
        'a «identified  by "x"»', 'a «= ""»', 'xlike "y"', 'a «= "x"»y', 'a = "t" .c', 'a = "t".c',
    ),
    "LISTED": ('INSERT INTO t «VALUES ("a", 1)\n, (2)»', 'a «in("x")»', "VALUES 1", 'invalues ("x")', "in x"),
    "DOUBLE": ('a «"x"», «"y""z"»', 'a «"x\\"y"» b', 'a "x'),
    "WITHIN": (
        "no «SELECT» x", "«INSERT  INTO» t", "«UPDATE t SET» a", "«DELETE FROM» t", "«MERGE INTO» t",
        "«REPLACE INTO» t", "'«select» 1' \"« insert into» t\" `«update t set» a` x:«delete from» t",
        "[SQL: «CALL» x]", "[SQL: «values» x]", "please select one", "SELECTED", "UPDATE SET", "INSERTINTO",
        "an update t set", "xSELECT 1", "«UPDATE  t  SET» «DELETE  FROM» «MERGE  INTO» «REPLACE  INTO»",
        "'«insert  into»' '«update  t  set»' '«delete  from»'", "'selected'", "SQL: CALL x",
    ),
    "REDIS": (
        "«AUTH hunter2»", "«  hello 3 AUTH ada hunter2\n»", "«ACL SETUSER ada >x»", "«CONFIG SET requirepass x»",
        "«config set masterauth x»", "AUTHOR x", "CONFIG SET maxmemory 1", "GET AUTH x", "ACL LIST x", "AUTH",
        "«HELLO  3  AUTH  x»", "«ACL  SETUSER  x»", "«CONFIG  SET  maxpassx y»", "CONFIG SET maxpasx y",
        "CONFIG SET maxauhx y", "HELLO 3", "CONFIG SET a b",
    ),
    "STOP": (
        "x«\n\n»y", "x«\n[parameters»: y", "x«[parameters»", "x«\n(Background»", "x«(Background» on",
        'x«\n  File "»a', "x«\nTraceback»", "x«\nDETAIL»: y", "x«]»", "x«\n]»", "x\ny", "x] y", "a[0]b", "File x",
        "x\n]y",
    ),
    "ROWS[[parameters]": (
        "«[parameters: {'a': 1}»]", "«[parameters: ('a', [1])»]\n(Background", "«[parameters: (1]»](Background",
        "«[parameters: (1, 2»", "[parameter: 1]", "[parameters]", "«[parameters: (1,\n2)»]", "[parameters:(1)]",
    ),
    "ROWS[Key (]": (
        "«Key (email)=(ada@h)» already exists.", "«Key (a, b)=(1, 2)» is not present",
        "«Key (a)=(1)» is still referenced", "«Key (a)=(x) )»\nz", "xKey (a)=(1) already", "Key (a)=1 already",
        "Key (a)=(1) was", "Key ()=(1) already", "Key (a)=1) already", "Key a)=(1) already", "«Key (a)=(1)»\n",
        f"Key (a)=(1) {'already'[:-1]}", "Key (a)=(1) is no", f"Key (a)=(1) is {'still'[:-1]}",
    ),
    "ROWS[Failing row]": (
        "«Failing row contains (1, (x), null)».", "Failing row contains 1", "failing row contains (1)",
        "Failing row contains x (1)", "«Failing row contains ()»", "Failing row contains 1)",
    ),
    "ROWS[Duplicate entry]": (
        "«Duplicate entry 'ada''s'» for key 'k'", "Duplicate entry 'ada' in", "Duplicate entry ada for key",
        "Duplicate entry ada' for key", "«Duplicate entry ''» for key 'k'", "Duplicate entry 'ada for key",
        "«Duplicate entry 'a' 'b'» for key",
    ),
    "ROWS[IDENTIFIED BY]": ("USER a «IDENTIFIED BY 'x y'» b'", "IDENTIFIED BY x", "identified by 'x'"),
    "ROWS[invalid input]": (
        '«invalid input syntax for type integer: "x"» y"', '«invalid input value for enum a: "x"»',
        'invalid input for a: "x"', "invalid input syntax for integer: x", 'invalid input syntax for a:b: "x"',
        'invalid input syntax for : "x"', '«invalid input value for e: "x"»', 'invalid input value for e:"x"',
        '«invalid input value for e: ""»',
    ),
}  # fmt: skip

test_each_expression_has_texts_of_both_sorts, test_an_expression_matches_what_is_marked = checks(module, SHOWN)


@pytest.mark.parametrize("table", ["ROWS"])
def test_the_order_of_a_table_changes_no_text(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each form is redacted at its own place."""
    texts = [plain(text) for texts in SHOWN.values() for text in texts]
    in_order = [module.without_rows(text) for text in texts]
    monkeypatch.setattr(module, table, dict(reversed(getattr(module, table).items())))
    assert [module.without_rows(text) for text in texts] == in_order
