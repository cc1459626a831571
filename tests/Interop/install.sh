#!/bin/bash
# Installs what the external clients need: Debian packages and the npm packages of amqplib and rhea.
# Can be repeated: it leaves alone what is there.

set -u

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
failures=()

main() {
  install_packages
  install_npm_packages amqplib
  # rhea for AMQP 1.0, with an amqplib of its own to declare queues and for messages that cross from one protocol to the other.
  install_npm_packages rhea
  if ((${#failures[@]} > 0)); then
    printf 'not installed: %s\n' "${failures[@]}" >&2
    return 1
  fi
  echo "all interop clients are installed"
}

install_packages() {
  local missing=()
  # The system's Python is asked, because another one may come first on the PATH.
  /usr/bin/python3 -c 'import pika' 2>/dev/null || missing+=(python3-pika)
  /usr/bin/python3 -c 'import aio_pika' 2>/dev/null || missing+=(python3-aio-pika)
  have amqp-publish || missing+=(amqp-tools)
  # Proton for AMQP 1.0: its Python binding, and its C library with headers and a compiler for proton-c.
  /usr/bin/python3 -c 'import proton' 2>/dev/null || missing+=(python3-qpid-proton)
  [[ -e /usr/include/proton/proactor.h ]] || missing+=(libqpid-proton11-dev)
  have gcc || missing+=(gcc libc6-dev)
  have node || missing+=(nodejs)
  have npm || missing+=(npm)
  ((${#missing[@]} > 0)) || return 0

  if ! have apt-get; then
    failures+=("${missing[*]} (no apt-get here)")
  elif ! as_root true; then
    failures+=("${missing[*]} (needs root or sudo without a password)")
  else
    as_root apt-get update -q || echo "apt-get update failed; trying with the package lists that are there" >&2
    local package
    for package in "${missing[@]}"; do
      # One at a time, so that one missing package does not keep out the others.
      as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$package" \
        || failures+=("$package (apt-get install failed)")
    done
  fi
}

install_npm_packages() {
  local client=$1
  [[ -d "$here/$client/node_modules" ]] && return
  if ! have npm; then
    failures+=("$client (no npm)")
  elif ! (cd "$here/$client" && npm ci); then
    failures+=("$client (npm ci failed)")
  fi
}

have() {
  command -v "$1" >/dev/null 2>&1
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif have sudo; then
    sudo -n "$@"
  else
    return 1
  fi
}

main
