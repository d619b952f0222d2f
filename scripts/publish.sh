#!/usr/bin/env bash
# The release binaries lm-agent and lm-collector (Native AOT, linux-x64) in DIR: publish.sh [DIR]   (default: out/)
# Their debug symbols go to DIR/debug. Any compiler, trimming or AOT warning fails it.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in
  -h | --help) sed -n '2,3s/^# //p' "${BASH_SOURCE[0]}"; exit 0 ;;
esac
target=$(realpath -m "${1:-$ROOT/out}")
need_dotnet
need_aot

work=$(mktemp -d "${TMPDIR:-/tmp}/lm-publish.XXXXXX")
trap 'rm -rf "$work"' EXIT

publish() { # PROJECT PROGRAM
  dotnet publish "$ROOT/src/$1/$1.csproj" -c Release -p:LmTargetFramework=net9.0 -v minimal -o "$work/$2"
  [[ -x $work/$2/$2 ]]
}

mkdir -p "$target/debug"
for pair in Lm.Agent=lm-agent Lm.Collector=lm-collector; do
  project=${pair%=*} program=${pair#*=}
  step "Publishing $program" publish "$project" "$program"
  # Through a rename, so that a program that runs from DIR is replaced and not written over.
  install -m 0755 "$work/$program/$program" "$target/.$program.new"
  mv -f "$target/.$program.new" "$target/$program"
  [[ ! -f $work/$program/$program.dbg ]] || install -m 0644 "$work/$program/$program.dbg" "$target/debug/$program.dbg"
  say "$target/$program: $(($(stat -c %s "$target/$program") / 1024)) KiB"
done
