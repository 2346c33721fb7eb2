#!/usr/bin/env bash
# The action's one step: runs the verb once, as JSON, and turns the result into annotations and outputs.
# A code of 1 (a person is needed) fails a `verify`, as a check should, but not the scheduled verbs.
set -uo pipefail

upstreamsync="${UPSTREAMSYNC_BIN:-$RUNNER_TEMP/upstreamsync/bin/upstreamsync}"
result="$RUNNER_TEMP/upstreamsync-result.json"
words=("$COMMAND")
read -r -a vendors <<<"$VENDORS"
read -r -a arguments <<<"$ARGUMENTS"
[ -f "$CONFIG" ] && words+=(--config "$CONFIG")

# On a pull request, what it is compared with is known: GitHub's merge of it has that commit as first parent.
# A clone of depth 1 does not hold it; `verify` fetches that one commit.
if [ "$COMMAND" = verify ] && [[ " $ARGUMENTS " != *" --since"* && " $ARGUMENTS " != *" --before"* ]]; then
  mapfile -t parents < <(git cat-file commit HEAD 2>/dev/null | sed -n '/^$/q; s/^parent //p')
  since="${BASE_SHA:-}"
  [ "${#parents[@]}" -gt 1 ] && since="${parents[0]}"
  [ -n "$since" ] && words+=(--since "$since")
fi
[ "$COMMAND" = verify ] && [ -n "${SARIF:-}" ] && words+=(--sarif "$SARIF")
[ "$COMMAND" = verify ] && [ "${COMMENT:-false}" = true ] && words+=(--comment)
case "$COMMAND" in
  verify | update | pr | check) [ "${HTML:-false}" = true ] && words+=(--html "$RUNNER_TEMP/upstreamsync-page.html") ;;
esac
[ "$COMMAND" = pr ] && words+=(--reports "$RUNNER_TEMP/upstreamsync-reports")

# Annotations and the step summary go out, the JSON is kept for the output.
"$upstreamsync" "${words[@]}" "${arguments[@]}" --format github --json-output "$result" -- "${vendors[@]}"
code=$?

{
  printf 'exit-code=%s\n' "$code"
  delimiter="result-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
  printf 'result<<%s\n' "$delimiter"
  [ -f "$result" ] && cat "$result"
  printf '\n%s\n' "$delimiter"
} >>"$GITHUB_OUTPUT"

if [ "$code" -eq 1 ] && [ "$COMMAND" != verify ]; then
  exit 0
fi
exit "$code"
