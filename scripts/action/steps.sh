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

# Runs a program and gives its exit code. What the runner signals to the shell alone, the program gets: bash would only
# look at it when the program has ended, and that would be killed first.
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

# Of the arguments of an apply on stdin, one per line, those that let a guard pass, which a plan takes, too.
guard_options() {
  sed -nE '/^--max-deletes$/ { N; p; d; }; /^--(max-deletes=.*|allow-(protected|empty|short-listing|lookalikes))$/ p'
}
