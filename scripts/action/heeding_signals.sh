# shellcheck shell=bash
# Defines heeding_signals for a step's script, which sources this file.

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
