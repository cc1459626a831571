#!/bin/bash
# The command line tools of librabbitmq.
#
#   run.sh --list      scenario names, one a line
#   run.sh URI NAME    runs one scenario; exit code 0 when it passed
#   run.sh URI all     prints "ok NAME" or "FAILED NAME: cause" for each

set -u

wait_seconds=8
scenarios=(
  declare-publish-get-delete
  server-named-queue
  publish-from-stdin
  publish-with-properties
  get-empty
  body-sizes
  body-10-mib
  routing-by-bound-exclusive-queue
  consume-acknowledges
  consume-without-acknowledgement
  work-queue-two-consumers
  dead-consumer-keeps-the-message
  delete-if-empty
  delete-if-unused
  error-missing-queue
  error-inequivalent-argument
  error-reserved-name
  wrong-password
  unknown-virtual-host
)

uri=
work=
queue=

# Every tool takes its long options only: the short -u of amqp-delete-queue has two meanings.
tool() {
  local name=$1
  shift
  timeout "$wait_seconds" "amqp-$name" --url="$uri" "$@"
}

fail() {
  echo "$*" >&2
  exit 1
}

expect_equal() {
  [[ "$1" == "$2" ]] || fail "$3: expected '$2', got '$1'"
}

unique() {
  echo "interop.$1.$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')"
}

declare_queue() {
  queue=$(unique queue)
  tool declare-queue --queue="$queue" --durable >/dev/null || fail "could not declare a queue"
}

publish() {
  tool publish --routing-key="$queue" --body="$1" || fail "could not publish"
}

# Polls, since the publishing connection may be closed before the message is in its queue.
get() {
  local deadline=$((SECONDS + wait_seconds))
  until tool get --queue="$queue"; do
    ((SECONDS < deadline)) || fail "no message in the queue"
    sleep 0.02
  done
}

expect_empty() {
  local code=0
  tool get --queue="$queue" >"$work/unexpected" || code=$?
  expect_equal "$code" 2 "exit code of amqp-get for an empty queue"
}

expect_error() {
  local reason=$1
  shift
  if tool "$@" >"$work/out" 2>"$work/err"; then fail "amqp-$1 was not refused"; fi
  grep -q "$reason" "$work/err" || fail "amqp-$1 said: $(cat "$work/err")"
}

scenario_declare_publish_get_delete() {
  declare_queue
  publish "hello"
  expect_equal "$(get)" "hello" "body"
  publish "left over"
  local count
  count=$(tool delete-queue --queue="$queue") || fail "could not delete the queue"
  expect_equal "$count" 1 "messages deleted with the queue"
  expect_error NOT_FOUND get --queue="$queue"
}

scenario_server_named_queue() {
  queue=$(tool declare-queue --queue= --durable) || fail "could not declare a queue"
  [[ "$queue" == amq.gen-* ]] || fail "name of the server: $queue"
  publish "x"
  expect_equal "$(get)" "x" "body"
}

scenario_publish_from_stdin() {
  declare_queue
  printf 'one\ntwo\nthree\n' | tool publish --routing-key="$queue" --line-buffered || fail "could not publish"
  expect_equal "$(get; get; get)" "$(printf 'one\ntwo\nthree')" "bodies"
}

scenario_publish_with_properties() {
  declare_queue
  tool publish --routing-key="$queue" --persistent --content-type=text/plain --content-encoding=utf-8 \
    --reply-to=nobody --header="key: value" --body="x" || fail "could not publish"
  expect_equal "$(get)" "x" "body"
}

scenario_get_empty() {
  declare_queue
  expect_empty
}

scenario_body_sizes() {
  declare_queue
  local size
  for size in 0 1 131064 131065 262144; do round_trip_body "$size"; done
}

scenario_body_10_mib() {
  declare_queue
  round_trip_body $((10 * 1024 * 1024))
}

round_trip_body() {
  head -c "$1" /dev/urandom >"$work/sent"
  tool publish --routing-key="$queue" <"$work/sent" || fail "could not publish $1 bytes"
  get >"$work/got"
  cmp "$work/sent" "$work/got" || fail "a body of $1 bytes came back changed"
}

scenario_routing_by_bound_exclusive_queue() {
  local key consumer deadline=$((SECONDS + wait_seconds))
  key=$(unique key)
  tool consume --exclusive --exchange=amq.direct --routing-key="$key" --count=1 cat >"$work/out" 2>"$work/err" &
  consumer=$!
  # Nothing tells when the consumer has bound its queue, so this publishes until it got one.
  while kill -0 "$consumer" 2>/dev/null; do
    ((SECONDS < deadline)) || fail "the consumer got nothing: $(cat "$work/err")"
    tool publish --exchange=amq.direct --routing-key="not.$key" --body="other" || fail "could not publish"
    tool publish --exchange=amq.direct --routing-key="$key" --body="routed" || fail "could not publish"
    sleep 0.02
  done
  wait "$consumer" || fail "amqp-consume: $(cat "$work/err")"
  expect_equal "$(cat "$work/out")" "routed" "body"
}

scenario_consume_acknowledges() {
  consume_two
}

scenario_consume_without_acknowledgement() {
  consume_two --no-ack
}

consume_two() {
  declare_queue
  publish "one"
  publish "two"
  local got
  got=$(tool consume --queue="$queue" --count=2 "$@" cat) || fail "could not consume"
  expect_equal "$got" "onetwo" "bodies"
  expect_empty
}

scenario_work_queue_two_consumers() {
  declare_queue
  seq 1 10 | tool publish --routing-key="$queue" --line-buffered || fail "could not publish"
  local first second
  tool consume --queue="$queue" --prefetch-count=1 --count=5 cat >"$work/first" &
  first=$!
  tool consume --queue="$queue" --prefetch-count=1 --count=5 cat >"$work/second" &
  second=$!
  wait "$first" || fail "the first consumer did not get five tasks"
  wait "$second" || fail "the second consumer did not get five tasks"
  expect_equal "$(sort -n "$work/first" "$work/second")" "$(seq 1 10)" "tasks"
  expect_empty
}

# A consumer that dies has acknowledged nothing, so its message goes back.
scenario_dead_consumer_keeps_the_message() {
  declare_queue
  publish "kept"
  : >"$work/busy"
  printf '#!/bin/sh\ncat >"%s"\nwhile [ -e "%s" ]; do sleep 0.02; done\n' "$work/started" "$work/busy" >"$work/handler"
  chmod +x "$work/handler"
  amqp-consume --url="$uri" --queue="$queue" --count=1 "$work/handler" &
  local consumer=$!
  await_file "$work/started"
  kill -KILL "$consumer"
  rm "$work/busy"
  expect_equal "$(get)" "kept" "body"
}

await_file() {
  local deadline=$((SECONDS + wait_seconds))
  until [[ -e "$1" ]]; do
    ((SECONDS < deadline)) || fail "the consumer got nothing"
    sleep 0.02
  done
}

scenario_delete_if_empty() {
  declare_queue
  publish "x"
  expect_error PRECONDITION_FAILED delete-queue --queue="$queue" --if-empty
  get >/dev/null
  expect_equal "$(tool delete-queue --queue="$queue" --if-empty)" 0 "messages deleted with the queue"
}

scenario_delete_if_unused() {
  declare_queue
  publish "x"
  tool consume --queue="$queue" --count=2 tee "$work/started" >/dev/null &
  local consumer=$!
  await_file "$work/started"
  expect_error PRECONDITION_FAILED delete-queue --queue="$queue" --if-unused
  publish "x"
  wait "$consumer" || fail "the consumer did not get its second message"
  local deadline=$((SECONDS + wait_seconds))
  until tool delete-queue --queue="$queue" --if-unused >/dev/null 2>&1; do
    ((SECONDS < deadline)) || fail "the queue is still in use"
    sleep 0.02
  done
}

scenario_error_missing_queue() {
  local missing
  missing=$(unique missing)
  expect_error NOT_FOUND get --queue="$missing"
  expect_error NOT_FOUND consume --queue="$missing" --count=1 cat
}

scenario_error_inequivalent_argument() {
  declare_queue
  expect_error PRECONDITION_FAILED declare-queue --queue="$queue"
}

scenario_error_reserved_name() {
  expect_error ACCESS_REFUSED declare-queue --queue="amq.$(unique queue)" --durable
}

scenario_wrong_password() {
  uri=$(sed -E 's#//([^:@/]+)(:[^@/]*)?@#//\1:wrong@#' <<<"$uri")
  expect_error ACCESS_REFUSED declare-queue --queue="$(unique queue)" --durable
}

scenario_unknown_virtual_host() {
  uri=$(sed -E 's#^(amqp://[^/]+)/.*#\1/#' <<<"$uri")$(unique vhost)
  expect_error NOT_ALLOWED declare-queue --queue="$(unique queue)" --durable
}

# In a subshell: a scenario may exit, and changes only its own variables.
run_scenario() (
  local broker=$uri
  work=$(mktemp -d)
  trap 'uri=$broker; clean_up' EXIT
  "scenario_${1//-/_}"
)

clean_up() {
  [[ -n "$queue" ]] && tool delete-queue --queue="$queue" >/dev/null 2>&1
  rm -rf "$work"
}

run_all() {
  local name cause failures=0
  for name in "${scenarios[@]}"; do
    if cause=$(run_scenario "$name" 2>&1 >/dev/null); then
      echo "ok $name"
    else
      failures=$((failures + 1))
      echo "FAILED $name: $(tr '\n' ' ' <<<"$cause")"
    fi
  done
  ((failures == 0))
}

main() {
  if [[ "$*" == *--list* ]]; then
    printf '%s\n' "${scenarios[@]}"
  elif (($# != 2)); then
    sed -n 's/^#   //p' "$0" >&2
    return 2
  elif [[ "$2" == all ]]; then
    uri=$1
    run_all
  elif [[ " ${scenarios[*]} " == *" $2 "* ]]; then
    uri=$1
    run_scenario "$2"
  else
    echo "no such scenario: $2" >&2
    return 2
  fi
}

main "$@"
