"""Takes the code of one promise out of the runtime at a time, in a copy of the project: does its test fail?

All are tried; `--promise R8` tries one. A test that passes without the code is none; a text that is not found
has moved, and this list has to follow it.

Usual time: 5 minutes.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = ("otel", "tests", "functions", "pyproject.toml", "template.yaml", "collector.yaml")


@dataclass(frozen=True, slots=True)
class Mutation:
    """What is taken out: in a file of the runtime, this text for that; and the test in otel/tests/runtime that sees it."""

    promise: str
    without: str
    file: str
    text: str
    instead: str
    test: str


M = Mutation
AFTER = "delivery/test_after_response.py::test_"
TIMEOUT = "deadline/test_watch.py::test_"
ANSWERS = "delivery/test_answers.py::test_"
BACKEND = "delivery/test_backend.py::test_"
PROFILE = "deadline/test_profile.py::test_"
DEADLINE = "delivery/test_deadline.py::test_"
NAMED = f"{TIMEOUT}a_timeout_names_the_running_call_and_the_line"
MUTATIONS = (
    M("R1", "Lambda's segment as parent", "invocation.py",
      "context_below(named) if named is not None else", "",
      "test_invocation.py::test_the_span_is_a_child_of_lambdas_segment"),
    M("R1", "a header for each invocation", "invocation.py", 'os.environ.get("_X_AMZN_TRACE_ID", "")',
      'tracer.__dict__.setdefault("first", os.environ.get("_X_AMZN_TRACE_ID", ""))',
      "test_invocation.py::test_each_invocation_follows_its_own_header"),
    M("R1", "links", "invocation.py", 'if kind == "pubsub":', "if False:",
      "test_trigger.py::test_each_sender_is_a_link"),
    M("R2", "asking whether callers are trusted", "invocation.py", 'if trusting and kind == "http"',
      'if kind == "http"', "test_callers.py::test_a_thousand_hostile_header_sets_give_the_trace_of_none"),
    M("R2", "the setting that trusts them", "invocation.py", 'if trusting and kind == "http"', "if False",
      "test_callers.py::test_trusted_headers_choose_the_trace"),
    M("R2", "X-Ray's header alone for callees", "own_telemetry.py",
      "propagate.set_global_textmap(self._propagators)\n        self._undo", "self._undo",
      "drivers/test_http_call.py::test_the_callee_gets_the_clients_span_as_parent"),
    M("R3", "the flag", "propagation.py", "trace_flags=SAMPLED if sampled else NOT_SAMPLED", "trace_flags=SAMPLED",
      "test_invocation.py::test_an_unsampled_invocation_records_nothing"),
    M("R3", "the flag of a root without a parent", "propagation.py", "(root, sampled), Context())",
      "(root, True), Context())",
      "test_propagation.py::test_a_root_without_a_parent_makes_the_handlers_span_the_root"),
    M("R3", "the flag downstream", "unsampled.py",
      '            carry(args[0] if args else kwargs["request"])\n', "            pass\n",
      "drivers/test_http_call.py::test_an_unsampled_call_tells_the_callee"),
    M("R4", "the name", "invocation.py", "route or os.environ", "os.environ",
      "test_invocation.py::test_an_api_request_is_one_server_span_named_by_method_and_route"),
    M("R4", "cold starts", "setup.py", "cold, self._cold = self._cold, False", "cold = self._cold",
      "test_invocation.py::test_only_the_first_invocation_is_a_cold_start"),
    M("R4", "5xx as errors", "invocation.py", "if status < 500:", "if status < 600:",
      "test_invocation.py::test_a_returned_5xx_is_an_error"),
    M("R4", "the error's type", "invocation.py", 'self.span.set_attribute("error.type", name)', "pass",
      "test_invocation.py::test_an_exception_is_an_error_and_goes_on_unchanged"),
    M("R4", "batches of which all items failed", "invocation.py", "if not failed or failed < items:", "if True:",
      "test_invocation.py::test_a_batch_of_which_all_items_failed_is_an_error"),
    M("R4", "durable executions that failed", "invocation.py", 'if status != "FAILED":', "if True:",
      "test_invocation.py::test_a_durable_execution_that_failed_is_an_error"),
    M("R5", "the region", "copies.py", 'more["aws.region"] = region', "pass",
      "drivers/test_aws_call.py::test_a_call_is_one_client_span_with_what_x_ray_shows"),
    M("R5", "annotations", "delivery/encoding.py", "values) + indexed", "values)",
      "delivery/test_encoding.py::test_what_can_be_searched_for_is_named_on_the_span"),
    M("R5", "tables of transactions", "drivers/aws.py", 'params.get("TransactItems") or ()', "()",
      "drivers/test_aws_call.py::test_the_tables_of_a_call_are_named"),
    M("R5", "429 for throttles", "drivers/aws.py", "if code in THROTTLES:", "if False:",
      "drivers/test_aws_call.py::test_a_throttle_is_a_429"),
    M("R5", "conditions as outcomes", "drivers/aws.py", "if is_condition(code, result):", "if False:",
      "drivers/test_aws_call.py::test_a_failed_condition_is_an_outcome"),
    M("R5", "the peer of HTTP calls", "copies.py", '"peer.service": host, ', "",
      "drivers/test_http_call.py::test_a_call_is_one_client_span_with_its_peer"),
    M("R5", "our span as the parent of AWS calls", "drivers/aws.py",
      "        headers, span = request.headers, get_current_span()\n", "        return\n",
      "drivers/test_aws_endpoint.py::test_the_calls_span_is_the_parent_and_lineage_stays"),
    M("R5", "Lineage", "propagation.py", "return value + mark + lineage.", "return value + (mark + lineage)[:0].",
      "drivers/test_aws_endpoint.py::test_lineage_stays_whatever_is_traced"),
    M("R5", "a header that was written on purpose", "drivers/aws.py", "                return\n    write(",
      "                pass\n    write(",
      "drivers/test_aws_endpoint.py::test_a_header_that_somebody_wrote_on_purpose_stays"),
    M("R5", "attempts", "drivers/aws.py", "        write_attempt(request.context, is_repeated=True)\n", "        pass\n",
      "drivers/test_aws_call.py::test_each_attempt_of_a_call_that_was_tried_again_is_an_event"),
    M("R5", "messages without our attributes", "own_telemetry.py",
      "if scope.startswith(BOTOCORE):",
      "if False:", "drivers/test_aws_endpoint.py::test_messages_and_payloads_stay_as_they_are"),
    M("R6", "the lookup", "drivers/connections.py", 'self._replace(socket, "getaddrinfo", self._looking_up)', "pass",
      "drivers/test_connections.py::test_a_new_connection_is_a_lookup_and_a_connect"),
    M("R6", "urllib3's connect", "drivers/connections.py", '(module, "create_connection", self._connecting)',
      '(module, "create_connection", lambda original: original)',
      "drivers/test_connections.py::test_a_new_connection_is_a_lookup_and_a_connect"),
    M("R6", "the connect of others", "drivers/connections.py", '(socket, "create_connection", self._connecting)',
      '(socket, "create_connection", lambda original: original)',
      "drivers/test_connections.py::test_a_new_connection_is_a_lookup_and_a_connect"),
    M("R6", "the handshake", "drivers/connections.py", "if local.secures or not in_a_call() or", "if True or",
      "drivers/test_connections.py::test_a_secure_one_has_a_handshake_too"),
    M("R6", "one handshake in two layers", "drivers/connections.py", "            local.secures = True\n", "",
      "drivers/test_connections.py::test_a_secure_one_has_a_handshake_too"),
    M("R6", "addresses that need no lookup", "drivers/connections.py", "if literal:", "if False:",
      "drivers/test_connections.py::test_an_address_needs_no_lookup"),
    M("R7", "pools", "threads.py", 'replaced(module.ThreadPoolExecutor, "submit", submitting)', "lambda: None",
      "test_threads.py::test_a_pools_thread_does_not_keep_a_context"),
    M("R7", "threads", "threads.py", "setattr(self, CARRIED, context)", "pass",
      "test_threads.py::test_a_span_on_another_thread_is_a_child"),
    M("R7", "the context itself", "threads.py", "token = attach(context)", "token = attach(get_current())",
      "test_threads.py::test_a_span_on_another_thread_is_a_child"),
    M("R8", "waiting for the response", "bootstrap.py", "runtime.delivers_before_response = responses is None", "pass",
      f"{AFTER}the_response_is_out_while_the_collector_has_not_answered"),
    M("R8", "the extension", "delivery/after_response.py", "if not api:", "if api:", f"{AFTER}a_refused_registration_is_told"),
    M("R8", "the extension's own wait", "delivery/extension.py", "_released.get()\n                deadline",
      "alive\n                deadline", f"{AFTER}every_invocation_is_complete_when_the_environment_is_frozen_after_each"),
    M("R8", "the runtime's own thread", "delivery/after_response.py", "        else:\n            self._step(inf)\n", "",
      f"{AFTER}every_invocation_is_complete_when_the_environment_is_frozen_after_each"),
    M("R8", "the flush before the response", "bootstrap.py", "if runtime.delivers_before_response:", "if False:",
      f"{AFTER}where_the_client_cannot_be_hooked_spans_leave_before_the_response"),
    M("R8", "the last chance of a process", "delivery/after_response.py", "atexit.register(unless_forked, at_exit, os.getpid())", "pass",
      f"{AFTER}a_process_that_ends_by_itself_delivers_first"),
    M("R8", "later deliveries", "delivery/outbox.py", "if not self._waits and not len(",
      "if not len(",
      f"{AFTER}what_a_collector_did_not_take_goes_out_with_a_later_invocation"),
    M("R8", "flushes that the function asks for", "recorder.py", "return self._flush(timeout_millis / 1000)",
      "return True",
      "delivery/test_outbox.py::test_a_flush_delivers_and_says_whether_all_was_taken"),
    M("R8", "spans of forked children", "recorder.py", "if self.in_fork and not self.open:", "if False:",
      "test_own_telemetry.py::test_spans_of_forked_children_are_kept"),
    M("R8", "the bound on open spans", "recorder.py", "if len(self.open) > self._most:", "if False:",
      "delivery/test_outbox.py::test_spans_that_never_end_are_forgotten_and_told_of_once"),
    M("R8", "a thread beside the next request", "delivery/after_response.py", "if is_managed():", "if False:",
      "test_managed.py::test_a_thread_delivers_and_no_extension_is_registered"),
    M("R8", "parents first", "delivery/outbox.py", "deque(parents_first(self._ended()))", "deque(self._ended())",
      "delivery/test_delivery.py::test_parents_go_before_their_children"),
    M("R9", "the bound on the whole", "delivery/transport.py", "connection.settimeout(left(deadline))\n            return",
      "connection.settimeout(20)\n            return",
      "delivery/test_sender.py::test_a_receiver_that_never_answers_holds_the_request_for_the_bound_only"),
    M("R9", "the shorter bound later", "delivery/sender.py", "self._later_seconds = settings.flush_ms / 1000",
      "self._later_seconds = self._seconds", "delivery/test_sender.py::test_the_first_delivery_may_take_longer"),
    M("R9", "the circuit", "delivery/sender.py", "if self._waiting and self._circuit.closed:", "if self._waiting:",
      "delivery/test_delivery.py::test_an_open_circuit_asks_nobody"),
    M("R9", "the back-off's growth", "delivery/sender.py", "min(2 * self._back_off, LONGEST_S) or FIRST_S", "FIRST_S",
      "delivery/test_delivery.py::test_the_back_off_doubles_up_to_half_a_minute"),
    M("R9", "429 and 5xx as later", "delivery/answers.py", "300 <= answer.status < 500 and answer.status not in PASSING",
      "True",
      "delivery/test_sender.py::test_what_may_be_taken_later_waits_and_is_told_once"),
    M("R9", "4xx as never", "delivery/answers.py", "300 <= answer.status < 500 and answer.status not in PASSING",
      "False",
      "delivery/test_sender.py::test_what_is_refused_for_good_is_dropped_and_told_once"),
    M("R9", "the bound on the number", "recorder.py", "len(self.waiting) > self._most or", "",
      "delivery/test_delivery.py::test_the_oldest_make_room_and_are_counted_once"),
    M("R9", "the bound on the bytes", "recorder.py", "or self._bytes > self._most_bytes", "",
      "delivery/test_delivery.py::test_bytes_are_bounded_too"),
    M("R9", "the count of what is dropped", "recorder.py", "            self.dropped += 1\n", "",
      "delivery/test_delivery.py::test_the_oldest_make_room_and_are_counted_once"),
    M("R9", "one line for a change", "delivery/sender.py", "        self._said = self._state\n", "",
      "delivery/test_sender.py::test_what_may_be_taken_later_waits_and_is_told_once"),
    M("R9", "the deadline of the invocation", "delivery/outbox.py", "until = min(self._until, deadline - MARGIN_S)",
      "until = inf", f"{DEADLINE}a_delivery_ends_before_the_deadline_whatever_is_left"),
    M("R9", "the deadline in the extension's event", "delivery/outbox.py", "min(self._until, deadline - MARGIN_S)",
      "self._until", f"{DEADLINE}the_deadline_of_the_event_counts_if_it_is_sooner"),
    M("R9", "the time that encoding takes", "delivery/outbox.py", "while spans and time() < until:", "while spans:",
      f"{DEADLINE}spans_that_there_was_no_time_to_encode_return_to_the_buffer"),
    M("R9", "spans that wait for time", "delivery/outbox.py", "self._recorder.put_back(spans)", "pass",
      f"{DEADLINE}spans_that_there_was_no_time_to_encode_return_to_the_buffer"),
    M("R9", "deliveries that a deadline cut short", "delivery/sender.py", "if refused == LATE and is_cut:", "if False:",
      f"{DEADLINE}a_delivery_that_a_deadline_cut_short_is_half_a_failure"),
    M("R9", "the bound on a lookup", "delivery/transport.py", "wait(left(deadline))", "wait()",
      f"{DEADLINE}the_lookup_of_a_name_is_bounded"),
    M("R9", "what a collector rejects in part", "delivery/answers.py", "return min(refused, count), said",
      "return 0, said", f"{ANSWERS}an_answer_of_any_kind_is_understood_in_bounded_time"),
    M("R9", "the count of what is refused", "delivery/sender.py", "self._waiting.dropped += refused", "pass",
      f"{ANSWERS}an_answer_of_any_kind_is_understood_in_bounded_time"),
    M("R9", "batches that are too large", "delivery/sender.py", "answer.status == 413 and count > 1", "False",
      f"{ANSWERS}a_batch_that_is_too_large_is_split"),
    M("R9", "the pause that a collector asks for", "delivery/sender.py", "self._circuit.failed(pause_s)",
      "self._circuit.failed()", f"{ANSWERS}the_pause_that_a_collector_asks_for_is_kept"),
    M("R9", "answers that are none of OTLP", "delivery/answers.py", "accepted(answer, count) if is_otlp(answer) else (count, foreign(answer))", "accepted(answer, count)",
      ANSWERS + "an_answer_of_any_kind_is_understood_in_bounded_time"),
    M("R9", "the headers of a backend", "delivery/transport.py", "settings.headers.lines if settings.headers else ()", "()",
      BACKEND + "a_request_has_the_headers"),
    M("R9", "compression", "delivery/transport.py", "self._window = WINDOWS.get(compression, 0)", "self._window = 0",
      BACKEND + "a_body_is_compressed"),
    M("R9", "the redaction of a backend's key", "settings.py", ', *standard["headers"].redacted)', ")",
      BACKEND + "no_span_and_no_text_has_the_value_of_a_header"),
    M("R9", "the name of a refused header", "delivery/answers.py", "if answer.status in (401, 403):", "if False:",
      BACKEND + "a_refused_key_is_said_once_by_its_headers_name"),
    M("R9", "pauses that differ", "delivery/sender.py", "(1 + JITTER * urandom(1)[0] / 255)", "1",
      f"{ANSWERS}pauses_of_many_environments_differ"),
    M("R10", "the alarm", "deadline/watch.py", "self._ring(running)", "pass", NAMED),
    M("R10", "the stacks", "deadline/stacks.py", 'marks[span]["code.stacktrace"] = stacks.stack_of(thread)', "pass",
      NAMED),
    M("R10", "the stacks of other threads", "deadline/stacks.py", "stacks.stacks_below(span, innermost)", '""',
      NAMED),
    M("R10", "what has ended", "delivery/outbox.py", "not in done), *ended]", "not in done)]", NAMED),
    M("R10", "a look that takes long", "deadline/watch.py", "        left_s = running.alarm - time()\n        early_s", "        early_s",
      f"{TIMEOUT}a_look_that_takes_all_the_time_there_is_does_not_put_the_alarm_off"),
    M("R17", "the line that takes long", "deadline/watch.py", "                profile.sample(now_s)", "                pass",
      f"{PROFILE}the_line_that_computes_has_the_time_and_its_source"),
    M("R17", "the samples in the marks of a timeout", "deadline/stacks.py", "marks[running.span_id] |= running.samples", "pass",
      f"{PROFILE}the_deadline_tells_where_the_whole_request_went"),
    M("R17", "the function's own switch interval", "deadline/profile.py", "        release(self)\n", "",
      f"{PROFILE}an_exception_leaves_the_samples_and_the_interval"),
    M("R10", "an interpreter that others keep", "deadline/running.py", "left_s <= min(late_s, self.margin / 2)", "left_s <= 0",
      f"{TIMEOUT}who_gets_the_interpreter_late_tells_sooner"),
    M("R10", "the end of the watch", "deadline/watch.py",
      "running, self._running = self._running, None", "running = self._running",
      f"{TIMEOUT}an_invocation_that_ends_in_time_is_not_told_of"),
    M("R10", "the mark that it is provisional", "deadline/stacks.py",
      '"lambda.provisional": True', '"lambda.provisional": False',
      f"{TIMEOUT}a_handler_that_makes_it_after_the_alarm_has_its_final_spans"),
    M("R10", "the shortest sleep", "deadline/watch.py",
      "            self._wake()\n\n    def _wake", "            pass\n\n    def _wake",
      f"{TIMEOUT}a_shorter_timeout_than_ever_is_seen_in_time"),
    M("R11", "spans that leave on the way", "delivery/outbox.py",
      "if len(self._recorder.buffer) and running", "if False and running",
      f"{TIMEOUT}a_killed_invocation_leaves_what_had_ended_and_no_orphan"),
    M("R12", "redaction in the encoder", "delivery/encoding.py", "pair(key, self._redaction.value(key, value))",
      "pair(key, value)", "delivery/test_encoding.py::test_spans_are_encoded_as_the_protobuf_package_does"),
    M("R12", "caches that forget at a new secret", "delivery/encoding.py", "if not started and self._redaction.renewed():",
      "if not started and not self._redaction.renewed() and False:",
      "delivery/test_encoding.py::test_spans_are_encoded_as_the_protobuf_package_does"),
    M("R12", "names of credentials", "../redaction/attributes.py", "if level == SECRET or", "if",
      "test_redacted_spans.py::test_attributes_are_judged_by_their_names"),
    M("R12", "more names", "../redaction/attributes.py", "self._names(key) or", "",
      "test_redacted_spans.py::test_the_setting_adds_names"),
    M("R12", "more patterns", "../redaction/additions.py", "text = pattern.sub(REDACTED, text)", "pass",
      "test_redacted_spans.py::test_the_setting_adds_patterns"),
    M("R12", "cleaned texts", "../redaction/attributes.py", "self._without_patterns(clean(text, self._secrets, ids=ids, is_over=self._is_over_at_step))",
      "text",
      "test_redacted_spans.py::test_an_exceptions_message_stack_and_status_are_cleaned"),
    M("R12", "the environment's keys", "../redaction/texts.py", "for secret in reading.secrets if", "for secret in reading.secrets if False and",
      "test_redacted_spans.py::test_the_environments_own_keys_leave_on_no_text"),
    M("R12", "addresses without query", "../redaction/attributes.py", "if key in ADDRESSES:", "if False:",
      "test_redacted_spans.py::test_addresses_lose_query_and_fragment"),
    M("R12", "lists as a whole", "../redaction/attributes.py", "return clean_list(texts)", "return members",
      "../redaction/test_lists.py::test_a_list_is_read_as_a_whole"),
    M("R12", "command lines in texts", "../redaction/pairs.py", "not is_said(value, name, level)", "True",
      "../redaction/test_lists.py::test_a_text_is_read_as_the_command_or_the_sentence_that_it_is"),
    M("R12", "the limit of time", "../redaction/attributes.py", "thread_time() + BUDGET_S", "inf",
      "../redaction/test_linear.py::test_the_budget_of_a_delivery_is_looked_at_inside_of_a_text"),
    M("R12", "source lines by the setting", "../redaction/attributes.py", "if not self._source_lines and", "if False and",
      "test_redacted_spans.py::test_the_setting_takes_source_lines_out_of_stacks"),
    M("R12", "variables that replace others", "../redaction/credentials.py", "names = names_of(tuple(environ))",
      "names = names_of(tuple(environ)) if len(environ) != getattr(names_of, 'seen', 0) else names_of.known\n"
      "    names_of.seen, names_of.known = len(environ), names",
      "../redaction/test_credentials.py::test_a_variable_that_replaces_another_is_noticed"),
    M("R12", "user info", "../redaction/addresses.py", "    yield from users(word)\n", "",
      "test_redacted_spans.py::test_a_text_loses_its_credentials_and_nothing_else"),
    M("R12", "redaction before the cut", "setup.py", "settings.value_length + SPARE", "settings.value_length",
      "test_redacted_spans.py::test_what_once_leaked_does_not"),
    M("R12", "pairs in texts", "../redaction/texts.py", "(pairs.named, statements.quoted)", "(statements.quoted,)",
      "test_redacted_spans.py::test_what_once_leaked_does_not"),
    M("R12", "encodings", "../redaction/texts.py", "level = light(decoded(plain))", "level = plain",
      "test_leaks.py::test_no_secret_leaves_from_any_place_in_any_encoding"),
    M("R12", "shapes", "../redaction/texts.py", "shapes.tokens,", "",
      "test_leaks.py::test_no_secret_leaves_from_any_place_in_any_encoding"),
    M("R12", "clean lines in the log", "harmless.py", "clean(text)", "text",
      "test_redacted_spans.py::test_our_own_lines_in_the_log_are_cleaned"),
    M("R12", "the limit of a text", "../redaction/attributes.py", "return text[: self._limit]", "return text",
      "test_redacted_spans.py::test_long_texts_are_cut"),
    M("R12", "cutting what is too large", "delivery/encoding.py", "whole if whole.size <= limit else", "whole if True else",
      "delivery/test_encoding.py::test_a_span_that_is_too_large_is_cut_until_it_fits"),
    M("R12", "splitting below the datagram's limit", "delivery/encoding.py", "if encoded.size > room:", "if False:",
      "delivery/test_delivery.py::test_a_batch_is_split_below_the_datagram_limit"),
    M("R13", "ids from the kernel", "propagation.py", 'int.from_bytes(os.urandom(8), "big") or 1',
      "super().generate_span_id()", "test_restore.py::test_copies_of_one_memory_make_no_id_twice"),
    M("R13", "fresh connections", "bootstrap.py", "runtime.before_snapshot, runtime.restored",
      "lambda: None, runtime.restored",
      "test_restore.py::test_a_restored_environment_has_a_connection_of_its_own"),
    M("R13", "the restore in place of the init", "setup.py", "self._startup.restored()", "self._startup.ready()",
      "test_restore.py::test_a_restored_environment_has_a_connection_of_its_own"),
    M("R14", "the init", "setup.py", "if not recorded or startup is None:", "if startup is None or recorded:",
      "test_startup.py::test_a_trace_with_the_init_counts_it_once"),
    M("R14", "the start of the process", "startup.py",
      "self.start_ns = process_start_ns()", "self.start_ns = time.time_ns()",
      "test_startup.py::test_init_is_what_the_sandbox_has_measured"),
    M("R15", "defaults in place of nonsense", "settings.py", "            by_field[setting.field] = default\n",
      "            raise\n",
      "test_settings.py::test_a_wrong_value_is_the_default_and_one_warning"),
    M("R15", "names that are no setting", "settings.py", "if name.startswith(PREFIX) and name not in setting_names", "if False",
      "test_settings.py::test_a_variable_that_is_no_setting_is_named"),
    M("R15", "our own propagator on import", "bootstrap.py", 'os.environ["OTEL_PROPAGATORS"] = "none"', "pass",
      "test_bootstrap.py::test_a_wrong_setting_is_one_warning_and_the_function_works"),
    M("R15", "the function that works without us", "bootstrap.py", "    except Exception as error:",
      "    except ZeroDivisionError as error:",
      "test_bootstrap.py::test_a_runtime_that_cannot_start_leaves_the_handler_bare"),
    M("R16", "the first import", "imports.py", "        self._hook.imported(module)\n", "",
      "test_one_call.py::test_a_library_that_the_handler_imports_is_traced_from_its_first_call_on"),
    M("R16", "the setting that narrows", "libraries.py", "if library.name in requested:", "if True:",
      "drivers/test_http_call.py::test_the_setting_narrows_what_is_traced"),
    M("R16", "telling urllib3's own calls from those of requests", "libraries.py",
      "if is_outside() and undo():", "if undo():",
      "test_bootstrap.py::test_a_library_costs_nothing_until_it_is_imported"),
    M("R16", "leaving calls alone that are not to be traced", "libraries.py",
      "return not any(map(get_current().get, keys))", "return True",
      "test_bootstrap.py::test_a_call_that_is_not_to_be_traced_costs_nothing"),
    M("R16", "submodules that their package does not name yet", "imports.py",
      "            setattr(sys.modules[parent], child, module)\n", "            pass\n",
      "test_imports.py::test_a_submodule_is_an_attribute_of_its_package_by_then"),
    M("R16", "instrumentations that are being imported", "imports.py", "if module is None or name in self.running:",
      "if module is None:", "test_imports.py::test_a_module_that_is_being_imported_is_waited_for"),
    M("R16", "the function's own instrumentations", "libraries.py",
      ", give_way(instrumentor, take_off, functools.partial(self._on_own, where(library)))]", "]",
      "test_own_telemetry.py::test_an_instrumentation_that_the_function_puts_on_has_its_hooks"),
    M("R16", "the function's own provider", "own_telemetry.py", "                self._join(tracer_provider)\n",
      "                pass\n",
      "test_own_telemetry.py::test_a_provider_that_the_function_sets_is_the_processs_and_both_have_all_spans"),
    M("R16", "the function's own propagator", "own_telemetry.py", "self._propagators.own = [current]", "pass",
      "test_own_telemetry.py::test_a_propagator_that_the_function_sets_writes_beside_x_rays"),
    M("R16", "spans made in init", "setup.py", "self.recorder.adopt(span.get_span_context())",
      "self.recorder.drop_early()",
      "test_own_telemetry.py::test_spans_made_in_init_are_below_the_init"),
    M("R16", "roots that the function begins", "propagation.py",
      "if is_given else self.decision is True", "if is_given else False",
      "test_own_telemetry.py::test_a_span_without_a_parent_is_below_the_handlers"),
    M("R16", "a framework's span of the request", "recorder.py",
      "not (parent.is_remote and span.kind is SpanKind.SERVER)", "True",
      "test_own_telemetry.py::test_a_frameworks_span_of_the_request_is_below_the_handlers"),
    M("R16", "a framework's span at a timeout", "delivery/outbox.py",
      "[self._recorder.placed(span) for span in ended_now(spans, marks, time_ns())]",
      "ended_now(spans, marks, time_ns())",
      "test_own_telemetry.py::test_a_frameworks_span_that_never_ended_is_below_the_handlers"),
    M("R16", "waiting for a first call of urllib3", "libraries.py", "if not library.first_call:", "if True:",
      "test_bootstrap.py::test_a_library_costs_nothing_until_it_is_imported"),
)  # fmt: skip


def main(parser: ArgumentParser) -> int:
    """Status 1 if a test passes without what it is there for."""
    parser.add_argument("--promise", action="append", help="only this one, such as R8; may be repeated")
    options = parser.parse_args()
    mutations = [case for case in MUTATIONS if options.promise is None or case.promise in options.promise]
    with tempfile.TemporaryDirectory(prefix="promises-") as folder:
        copy = Path(folder)
        for part in PARTS:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / part, copy / part)
        status, output = run(copy, sorted({case.test for case in mutations}))
        if status != 0:
            print(f"{output}\nNOT the tests fail with all of the code in place")
            return 1
        seen_count = sum([seen(copy, case) for case in mutations])
    print(f"{seen_count} of {len(mutations)} are seen by their tests")
    return int(seen_count != len(mutations))


def seen(copy: Path, case: Mutation) -> bool:
    """Whether the test fails without it."""
    path = copy / "otel" / "lambda_latency" / "runtime" / case.file
    whole = path.read_text()
    times = whole.count(case.text)
    if times != 1:
        print(f"NOT {case.promise} {case.without}: {case.file} has {times} times {case.text!r}, not once")
        return False
    path.write_text(whole.replace(case.text, case.instead))
    try:
        status, output = run(copy, [case.test])
    finally:
        path.write_text(whole)
    failed = status == 1  # others are wrong usage, or no test
    sign = "ok " if failed else "NOT"
    print(f"{sign} {case.promise} without {case.without}: {case.test} {summary(output)}", flush=True)
    return failed


def run(copy: Path, tests: list[str]) -> tuple[int, str]:
    """pytest in the copy; it stops at the first failure."""
    names = [f"otel/tests/runtime/{test}" for test in tests]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *names]
    # Before the project itself, which is installed from where it lies.
    environment = {**os.environ, "PYTHONPATH": f"{copy / 'otel'}{os.pathsep}{copy}"}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=600, check=False)
    return done.returncode, done.stdout + done.stderr


def summary(output: str) -> str:
    """pytest's last line."""
    return output.strip().rpartition("\n")[2]
