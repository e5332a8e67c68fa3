# shellcheck shell=bash
# What the scripts of action.yml's steps share; each sources this file.

# Puts the inputs where webchat-sync reads them. An empty one leaves alone what the runner itself has: a machine of your
# own may hold the key.
take_inputs() {
  [ -z "${INPUT_ORGANIZATION:-}" ] || export MOSEND_ORG_ID="$INPUT_ORGANIZATION"
  [ -z "${INPUT_ALLOW_ENV:-}" ] || export WEBCHAT_SYNC_ALLOW_ENV="$INPUT_ALLOW_ENV"
  [ -z "${INPUT_ALLOW_PATH:-}" ] || export WEBCHAT_SYNC_ALLOW_PATHS="$INPUT_ALLOW_PATH"
  [ -z "${INPUT_API_KEY:-}" ] || export MOSEND_API_KEY="$INPUT_API_KEY"
  [ -z "${INPUT_MEMORY:-}" ] || export WEBCHAT_SYNC_MEMORY="$INPUT_MEMORY"
  [ -z "${INPUT_MEMORY_TOKEN:-}" ] || export WEBCHAT_SYNC_MEMORY_TOKEN="$INPUT_MEMORY_TOKEN"
  [ -n "${MOSEND_ORG_ID:-}" ] || unset MOSEND_ORG_ID # an empty name is no organisation's
  unset INPUT_ORGANIZATION INPUT_ALLOW_ENV INPUT_ALLOW_PATH INPUT_API_KEY INPUT_MEMORY INPUT_MEMORY_TOKEN
}

# Runs a program and returns its exit code. The runner signals only the shell, so this passes the signal on: bash alone
# would handle it after the program has ended, but the runner kills the program before that.
heeding_signals() {
  local signalled='' child='' code=0
  trap 'signalled=1; [ -z "$child" ] || kill -INT "$child" 2> /dev/null || true' INT TERM HUP
  set -m # else bash would have a program in the background ignore SIGINT
  "$@" < /dev/null &
  child=$!
  set +m
  [ -z "$signalled" ] || kill -INT "$child" 2> /dev/null || true
  while :; do
    signalled=''
    code=0
    wait "$child" || code=$?
    [ -n "$signalled" ] || break # a signal ends `wait`, and not the program
  done
  trap - INT TERM HUP
  return "$code"
}

# Reads the arguments of an apply from stdin, one per line, and prints those that allow what a guard refuses. A plan has
# these options, too.
guard_options() {
  sed -nE '/^--max-deletes$/ { N; p; d; }; /^--(max-deletes=.*|allow-(protected|empty|short-listing|lookalikes))$/ p'
}
