#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test; the last line is: N passed, N failed, N skipped
#   scripts/test.sh [NAME…]      only the test programs and crash scripts whose name contains one of the words
# LM_CONFIGURATION=Release builds that way (default Debug, for its assertions). LM_BIN=DIR: binaries of scripts/publish.sh to run the
# end-to-end and crash tests on as well; without it they are published first. LM_CRASH_ROUNDS=200 makes the crash tests long.
# LM_GOALS=1, or the word goals: the console's times, too, in two minutes before everything else, for which nothing else may keep the machine busy.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in
  -h | --help) sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
esac

configuration=${LM_CONFIGURATION:-Debug}
words=("$@")
passed=0 failed=0 skipped=0
failures=()

finish() {
  if [[ ${#failures[@]} -gt 0 ]]; then
    say "Failed:"
    printf '  %s\n' "${failures[@]}"
  fi
  if [[ $((passed + failed)) -eq 0 ]]; then
    say "error: no test ran"
  fi
  rm -rf "$reports"
  say "$passed passed, $failed failed, $skipped skipped"
  [[ $failed -eq 0 && $passed -gt 0 ]] || exit 1
  exit 0
}

fail() { # NAME
  failed=$((failed + 1))
  failures+=("$1")
}

wanted() { # NAME
  local word
  [[ ${#words[@]} -gt 0 ]] || return 0
  for word in "${words[@]}"; do [[ $1 == *"$word"* ]] && return 0; done
  return 1
}

# What runs leaves exit code and seconds in a file beside its log: some of it runs in a lane of its own, where nothing can be counted.
run_program() { # NAME PROGRAM
  local began=$SECONDS code=0
  timeout -k 10 900 "$2" -noColor -xml "$reports/$1.xml" >"$reports/$1.log" 2>&1 </dev/null || code=$?
  say "$code $((SECONDS - began))" >"$reports/$1.result"
}

# The counts are read from xunit's report, not from its text: a program that dies has none, and counts as failed.
count_program() { # NAME
  local name=$1 report="$reports/$1.xml" log="$reports/$1.log" head code='' seconds=0
  read -r code seconds <"$reports/$1.result" || true
  head=$(grep -o '<assembly [^>]*>' "$report" 2>/dev/null | head -n 1)
  if [[ -z $head ]]; then
    say "$name: ended with exit code $code and no report"
    tail -n 60 "$log"
    fail "$name (exit code $code, no report)"
    return
  fi
  local good bad errors skip
  good=$(attribute passed "$head") bad=$(attribute failed "$head") errors=$(attribute errors "$head") skip=$(attribute skipped "$head")
  passed=$((passed + good)) failed=$((failed + bad + errors)) skipped=$((skipped + skip))
  say "$name: $good passed, $((bad + errors)) failed, $skip skipped in $seconds s"
  grep -E '\[SKIP\]' -A 1 "$log" | grep -v '^--' || true
  if [[ $((bad + errors)) -gt 0 ]]; then
    grep -vE '^ +(Discover|Start|Finish)' "$log" | tail -n 400
    while IFS= read -r line; do failures+=("$name: $line"); done < <(grep -E '\[FAIL\]' "$log" | sed 's/^ *//; s/ *\[FAIL\].*//')
  elif [[ $code != 0 ]]; then
    tail -n 60 "$log"
    fail "$name (every test passed, yet exit code $code)"
  fi
}

attribute() { # NAME ELEMENT
  local value
  value=$(grep -o " $1=\"[0-9]*\"" <<<"$2" | head -n 1 | tr -dc '0-9')
  printf '%s' "${value:-0}"
}

run_script() { # NAME SCRIPT
  local began=$SECONDS code=0
  timeout -k 10 1800 "$2" >"$reports/$1.log" 2>&1 </dev/null || code=$?
  say "$code $((SECONDS - began))" >"$reports/$1.result"
}

count_script() { # NAME
  local log="$reports/$1.log" code='' seconds=0
  read -r code seconds <"$reports/$1.result" || true
  if [[ $code == 77 ]]; then
    skipped=$((skipped + 1))
    say "$1: $(tail -n 1 "$log")"
  elif [[ $code == 0 ]]; then
    passed=$((passed + 1))
    say "$1: passed in $seconds s: $(tail -n 1 "$log")"
  else
    say "$1: failed with exit code ${code:-unknown} after $seconds s"
    tail -n 60 "$log"
    fail "$1 (exit code ${code:-unknown})"
  fi
}

reports=$(mktemp -d "${TMPDIR:-/tmp}/lm-test.XXXXXX")
need_dotnet
{ need_runtime && need strace=strace git=git python3=python3 /usr/bin/chromium=chromium && need_aot &&
  unpack prometheus=prometheus promtool=prometheus prometheus-node-exporter=prometheus-node-exporter; } || { fail "installing what is missing"; finish; }

if [[ -z ${LM_SHARED:-} && -d $ROOT/../shared ]]; then
  LM_SHARED=$(cd "$ROOT/../shared" && pwd)
  export LM_SHARED
fi

# A production-grade S3 server for Lm.ObjectStore.Tests: without it those tests are skipped, and say so.
if [[ -d ${LM_SHARED:-}/s3 ]] && wanted Lm.ObjectStore.Tests; then
  (need radosgw=radosgw ceph-mon=ceph-mon ceph-osd=ceph-osd ceph=ceph-common) || say "Ceph's gateway could not be installed."
fi

if [[ -z ${LM_SKIP_BUILD:-} ]]; then
  step "Building ($configuration)" dotnet build "$ROOT/Lightmetrics.sln" -c "$configuration" -v minimal || { fail "the build"; finish; }
fi

# The committed console must be what its sources give. Debian 12's Node is too old to tell.
node_is_new() { node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null; }

check_console() {
  cd "$ROOT/console" && npm ci --no-audit --no-fund && npx tsc --noEmit && npm test && npm run check && npm run size
}

if wanted console; then
  if ! node_is_new; then
    skipped=$((skipped + 1))
    say "console: skipped: there is no Node of 20.19 or newer, which building console/dist again takes"
  elif step "Checking that console/dist is what its sources give" check_console; then
    passed=$((passed + 1))
  else
    fail "console/dist"
  fi
fi

goals_wanted() { if [[ ${#words[@]} -gt 0 ]]; then wanted goals; else [[ -n ${LM_GOALS:-} ]]; fi; }

published=${LM_BIN:-}
if [[ -z $published ]]; then
  published=$ROOT/artifacts/published
  if wanted EndToEnd || wanted crash || goals_wanted; then
    "$ROOT/scripts/publish.sh" "$published" || { fail "scripts/publish.sh"; published=; }
  fi
fi
unset LM_BIN
export LM_CONFIGURATION=$configuration

if goals_wanted && [[ -n $published ]]; then
  if ! (need node=nodejs) || ! node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)'; then
    skipped=$((skipped + 1))
    say "goals: skipped: there is no Node of 18 or newer, which measures the console's goals G4 to G10"
  elif say "Measuring the console's goals G4 to G10 and G12:" &&
    LM_SHORT=1 LM_LOAD=$ROOT/bench/Lm.LoadDriver/bin/$configuration/net10.0/lm-load timeout -k 10 600 "$ROOT/bench/console.sh" "$published"; then
    passed=$((passed + 1))
  else
    fail "goals (bench/console.sh)"
  fi
fi

programs=() # each with its program behind a space
for project in "$ROOT"/tests/*.Tests/; do
  name=$(basename "$project")
  wanted "$name" || continue
  program="$project/bin/$configuration/net10.0/$name"
  if [[ ! -x $program ]]; then
    fail "$name (not built: $program)"
    continue
  fi
  programs+=("$name $program")
done

scripts=()
for script in "$ROOT"/tests/crash/*.sh; do
  name=crash/$(basename "$script" .sh)
  # lib.sh has no run bit: the others source it.
  if [[ ! -x $script ]] || ! wanted "$name"; then continue; fi
  if [[ -z $published ]]; then
    fail "$name (there are no published binaries)"
    continue
  fi
  scripts+=("$name")
done

# Three lanes of about the same length beside each other: a test program seldom keeps two cores busy, and a crash script waits more than it computes.
run_scripts() {
  local name
  for name in "${scripts[@]}"; do LM_BIN=$published run_script "$name" "$ROOT/tests/$name.sh"; done
}

run_systems() { # what starts whole programs, browsers and agents
  local each name
  for each in "${programs[@]}"; do
    name=${each%% *}
    is_system "$name" || continue
    run_program "$name" "${each#* }"
    if [[ $name == Lm.EndToEnd.Tests && -n $published ]]; then LM_BIN=$published run_program "$name.published" "${each#* }"; fi
  done
}

is_system() { [[ $1 == Lm.Console.Tests || $1 == Lm.EndToEnd.Tests ]]; } # NAME

mkdir -p "$reports/crash"
run_scripts &
lanes=($!)
run_systems &
lanes+=($!)
trap 'kill "${lanes[@]}" 2>/dev/null' EXIT # whoever interrupts waits for what is under way at most

for each in "${programs[@]}"; do
  name=${each%% *}
  is_system "$name" || { run_program "$name" "${each#* }" && count_program "$name"; }
done
wait "${lanes[@]}"

for each in "${programs[@]}"; do
  name=${each%% *}
  is_system "$name" || continue
  count_program "$name"
  [[ $name != Lm.EndToEnd.Tests || -z $published ]] || count_program "$name.published"
done
for name in "${scripts[@]}"; do count_script "$name"; done

finish
