"""What a failed comparison prints, for each lie; `docs/reference/testing.md` shows the same."""

PRINTED = {
    "test_call_moved_under_another_parent": """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
    POST /orders  SERVER
    ├─ DynamoDB.PutItem  CLIENT
  + ├─ retry
  + │  └─ POST  CLIENT    ← expected under POST /orders
  - └─ POST  CLIENT
the trace as an expectation, to paste:
span('POST /orders', SERVER)[
    span('DynamoDB.PutItem', CLIENT, attributes={'aws.dynamodb.table_names': ('orders',)}),
    span('retry')[span('POST', CLIENT)],
]
""",
    "test_call_missing": """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
    POST /orders  SERVER
    ├─ DynamoDB.PutItem  CLIENT
  - └─ POST  CLIENT
the trace as an expectation, to paste:
span('POST /orders', SERVER)[
    span('DynamoDB.PutItem', CLIENT, attributes={'aws.dynamodb.table_names': ('orders',)}),
]
""",
    "test_n_plus_one": """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
    POST /orders  SERVER
    ├─ DynamoDB.PutItem  CLIENT
    ├─ POST  CLIENT
  + └─ DynamoDB.GetItem  CLIENT  (3 of them)
the trace as an expectation, to paste:
span('POST /orders', SERVER)[
    span('DynamoDB.PutItem', CLIENT, attributes={'aws.dynamodb.table_names': ('orders',)}),
    span('POST', CLIENT, attributes={'http.status_code': 200}),
    span('DynamoDB.GetItem', CLIENT),
    span('DynamoDB.GetItem', CLIENT),
    span('DynamoDB.GetItem', CLIENT),
]
""",
    "test_wrong_kind": """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
    POST /orders  SERVER
    ├─ DynamoDB.PutItem  CLIENT
  ~ └─ POST    ← kind: INTERNAL, expected CLIENT
the trace as an expectation, to paste:
span('POST /orders', SERVER)[
    span('DynamoDB.PutItem', CLIENT, attributes={'aws.dynamodb.table_names': ('orders',)}),
    span('POST', attributes={'http.status_code': 200}),
]
""",
    "test_wrong_status": """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
    POST /orders  SERVER
    ├─ DynamoDB.PutItem  CLIENT
  ~ └─ POST  CLIENT  ERROR    ← status: ERROR (service unavailable), expected no ERROR
                              ← http.status_code: 503, expected 200
the trace as an expectation, to paste:
span('POST /orders', SERVER)[
    span('DynamoDB.PutItem', CLIENT, attributes={'aws.dynamodb.table_names': ('orders',)}),
    span('POST', CLIENT, attributes={'http.status_code': 503}, status=ERROR),
]
""",
    "test_wrong_attribute": """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
    POST /orders  SERVER
  ~ ├─ DynamoDB.PutItem  CLIENT    ← aws.dynamodb.table_names: ('customers',), expected ['orders']
    └─ POST  CLIENT
the trace as an expectation, to paste:
span('POST /orders', SERVER)[
    span('DynamoDB.PutItem', CLIENT, attributes={'aws.dynamodb.table_names': ('customers',)}),
    span('POST', CLIENT, attributes={'http.status_code': 200}),
]
""",
    "test_sequential_instead_of_concurrent": """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
    POST /orders  SERVER
    ├─ price  CLIENT
  ~ └─ stock  CLIENT    ← not concurrent: it started after price had ended
the trace as an expectation, to paste:
span('POST /orders', SERVER)[
    span('price', CLIENT),
    span('stock', CLIENT),
]
""",
    "test_lost_propagation": """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
    POST /orders  SERVER
    └─ POST  CLIENT
  -    └─ POST /charges  SERVER
  + POST /charges  SERVER    ← a root of its own, expected under POST
the trace as an expectation, to paste:
[
    span('POST /orders', SERVER)[span('POST', CLIENT)],
    span('POST /charges', SERVER),
]
""",
    "test_orphan": """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
    POST /orders  SERVER
  - └─ retry
  -    └─ POST  CLIENT
  + POST  CLIENT    ← orphan: parent 0000000000000002 was never recorded
                    ← expected under retry
the trace as an expectation, to paste:
[
    span('POST /orders', SERVER),
    # orphan: parent 0000000000000002 was never recorded
    span('POST', CLIENT),
]
""",
    "test_never_ended": """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
    handler  SERVER
  ~ └─ DynamoDB.PutItem  CLIENT    ← left open: it never ended
the trace as an expectation, to paste:
span('handler', SERVER)[
    # left open: it never ended
    span('DynamoDB.PutItem', CLIENT),
]
""",
    "test_ended_but_not_exported_at_the_freeze": """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
  ~ handler  SERVER    ← lost at the freeze: it ended, but was not exported
  ~ └─ DynamoDB.PutItem  CLIENT    ← lost at the freeze: it ended, but was not exported
the trace as an expectation, to paste:
# lost at the freeze: it ended, but was not exported
span('handler', SERVER)[
    # lost at the freeze: it ended, but was not exported
    span('DynamoDB.PutItem', CLIENT),
]
""",
    "test_wrong_remote_parent": """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
  ~ handler  SERVER    ← parent: 0123456789abcdef, expected fedcba9876543210
the trace as an expectation, to paste:
span('handler', SERVER)
""",
    "test_too_slow": """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
  ~ handler  SERVER    ← took: 61.5 ms, expected at most 50 ms
the trace as an expectation, to paste:
span('handler', SERVER)
""",
    "test_a_context_kept_from_the_invocation_before": """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
    handler  SERVER
  - └─ DynamoDB.PutItem  CLIENT
  + DynamoDB.PutItem  CLIENT    ← a second trace of one invocation: 55555555555555555555555555555555
                                ← expected under handler
the trace as an expectation, to paste:
[
    span('handler', SERVER),
    # a second trace of one invocation: 55555555555555555555555555555555
    span('DynamoDB.PutItem', CLIENT),
]
""",
    "test_duplicate_span": """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
    POST /orders  SERVER
    └─ POST  CLIENT
  ! span 0000000000000002 (POST) was recorded twice: the one that ends later counts
the trace as an expectation, to paste:
# span 0000000000000002 (POST) was recorded twice: the one that ends later counts
[span('POST /orders', SERVER)[span('POST', CLIENT)]]
""",
    "test_wrong_order": """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
    POST /orders  SERVER
  + ├─ POST  CLIENT    ← expected later
    ├─ DynamoDB.PutItem  CLIENT
  - └─ POST  CLIENT
the trace as an expectation, to paste:
span('POST /orders', SERVER)[
    span('POST', CLIENT),
    span('DynamoDB.PutItem', CLIENT, attributes={'aws.dynamodb.table_names': ('orders',)}),
]
""",
    "test_an_exception_swallowed": """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
    POST /orders  SERVER
  ~ └─ POST  CLIENT    ← status: UNSET, expected ERROR
                       ← raised: nothing, expected TimeoutError
the trace as an expectation, to paste:
span('POST /orders', SERVER)[span('POST', CLIENT)]
""",
    "test_an_event_missing": """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
    POST /orders  SERVER
  ~ └─ DynamoDB.PutItem  CLIENT    ← event 2: absent, expected event('attempt', {'status': 200})
the trace as an expectation, to paste:
span('POST /orders', SERVER)[span('DynamoDB.PutItem', CLIENT)]
""",
    "test_nothing_recorded": """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
  - POST /orders  SERVER
  - ├─ DynamoDB.PutItem  CLIENT
  - └─ POST  CLIENT
""",
    "test_left_open_and_nothing_compared": """\
a guarantee of every test is broken: DynamoDB.PutItem: left open: it never ended

    handler  SERVER
    └─ DynamoDB.PutItem  CLIENT    ← left open: it never ended
""",
    "test_ended_by_a_thread_after_the_freeze": """\
a guarantee of every test is broken: DynamoDB.PutItem: left open: it never ended

    handler  SERVER
    └─ DynamoDB.PutItem  CLIENT    ← left open: it never ended
""",
    "test_one_of_a_name_that_is_not_there": """\
    AssertionError: no span has the name 'DynamoDB.PutItm'; did you mean 'DynamoDB.PutItem'?

        POST /orders  SERVER
        └─ DynamoDB.PutItem  CLIENT
""",
}
