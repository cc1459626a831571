#!/bin/bash
# A C program on Proton's own engine; the queue is declared with the tools of librabbitmq.
#
#   run.sh --list      scenario names, one a line
#   run.sh URI NAME    runs one scenario; exit code 0 when it passed
#   run.sh URI all     prints "ok NAME" or "FAILED NAME: cause" for each

set -u

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
wait_seconds=30
scenarios=(
  ten-thousand-messages
  ten-thousand-messages-small-frames
)

uri=
queue=
work=$(mktemp -d)

fail() {
  echo "$*" >&2
  exit 1
}

build() {
  # Built each time: it takes less than a second, and leaves nothing in the source directory.
  gcc -Wall -Wextra -O2 -o "$work/transfer" "$here/transfer.c" -lqpid-proton || fail "transfer.c does not build"
}

decoded() {
  printf '%b' "${1//%/\\x}"
}

transfer() {
  local frame_bytes=$1 host port virtual_host
  [[ "$uri" =~ ^amqp://([^:@/]+):([^@/]+)@([^:/]+)(:([0-9]+))?/?(.*)$ ]] || fail "not a URI with user and password: $uri"
  host=${BASH_REMATCH[3]} port=${BASH_REMATCH[5]:-5672} virtual_host=$(decoded "${BASH_REMATCH[6]:-%2F}")
  local user password
  user=$(decoded "${BASH_REMATCH[1]}") password=$(decoded "${BASH_REMATCH[2]}")
  queue=interop.queue.$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')
  amqp-declare-queue --url="$uri" --queue="$queue" --durable >/dev/null || fail "could not declare a queue"
  timeout "$wait_seconds" "$work/transfer" "$host" "$port" "$virtual_host" "$user" "$password" "/queues/$queue" 10000 "$frame_bytes" \
    || fail "transfer ended with $?"
  [[ "$(amqp-delete-queue --url="$uri" --queue="$queue")" == 0 ]] || fail "messages were left in the queue"
  queue=
}

scenario_ten_thousand_messages() {
  transfer 65536
}

# The least that a peer may ask for: most messages take one frame, and none takes the room of two.
scenario_ten_thousand_messages_small_frames() {
  transfer 512
}

clean_up() {
  [[ -n "$queue" ]] && amqp-delete-queue --url="$uri" --queue="$queue" >/dev/null 2>&1
  return 0
}

# In a subshell: a scenario may exit, and changes only its own variables.
run_scenario() (
  trap clean_up EXIT
  build
  "scenario_${1//-/_}"
)

run_all() {
  local name cause failures=0
  for name in "${scenarios[@]}"; do
    if cause=$(run_scenario "$name" 2>&1); then
      echo "ok $name"
    else
      failures=$((failures + 1))
      echo "FAILED $name: $(tr '\n' ' ' <<<"$cause")"
    fi
  done
  ((failures == 0))
}

main() {
  trap 'rm -rf "$work"' EXIT
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
