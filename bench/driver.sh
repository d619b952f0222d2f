# Sourced by the benchmarks, behind tests/crash/lib.sh: the load driver as it ships, in $driver.
# shellcheck shell=bash
driver=$ROOT/artifacts/load/lm-load
if [[ ! -x $driver || -n $(find "$ROOT/bench/Lm.LoadDriver" "$ROOT/src/Lm.Protocol" -name '*.cs' -newer "$driver" -not -path '*/obj/*' -print -quit) ]]; then
  step "Publishing the load driver" dotnet publish "$ROOT/bench/Lm.LoadDriver/Lm.LoadDriver.csproj" -c Release -p:LmTargetFramework=net9.0 -v minimal -o "$ROOT/artifacts/load"
fi
