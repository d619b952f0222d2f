# Sourced by the benchmarks, behind tests/crash/lib.sh: the load driver as it ships, in $driver, or the one that LM_LOAD names.
# shellcheck shell=bash
driver=${LM_LOAD:-$ROOT/artifacts/load/lm-load}
if [[ -z ${LM_LOAD:-} ]] && [[ ! -x $driver || -n $(find "$ROOT/bench/Lm.LoadDriver" "$ROOT/src/Lm.Protocol" -name '*.cs' -newer "$driver" -not -path '*/obj/*' -print -quit) ]]; then
  step "Publishing the load driver" dotnet publish "$ROOT/bench/Lm.LoadDriver/Lm.LoadDriver.csproj" -c Release -p:LmTargetFramework=net9.0 -v minimal -o "$ROOT/artifacts/load"
fi
