#!/usr/bin/env bash
# The host on Windows, as far as wine is one: service, migration and its undo against a service control manager.
#
#   tests/windows/run.sh             exit 0: everything below holds; 77: not possible here, nothing verified
#
# What it needs: wine, a MinGW gcc and the Rust target (apt-get install wine64 wine gcc-mingw-w64-x86-64-posix;
# rustup target add x86_64-pc-windows-gnu). What wine lacks is not verified: scheduled tasks (its schtasks lists
# none), recovery actions, access lists.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
work=$root/target/wine
target=x86_64-pc-windows-gnu
checks=0

skip() {
    echo "SKIPPED, nothing was verified: $*" >&2
    exit 77
}
for tool in wine wineserver x86_64-w64-mingw32-gcc curl; do
    command -v "$tool" >/dev/null || skip "$tool is not installed"
done
[ -d "$(rustc --print target-libdir --target $target)" ] || skip "rustup target add $target"

fail() {
    echo "FAILED: $*" >&2
    cat "$prefix"/drive_c/ProgramData/tradeagent/state/log/* >&2 2>/dev/null || true
    exit 1
}
holds() {
    checks=$((checks + 1))
    echo "  ok: $*"
}
stage() { echo "== $(date +%T) $*"; }

export WINEPREFIX=$work/prefix WINEDEBUG=-all DISPLAY=
prefix=$WINEPREFIX
sim_pid=
up_pid=
end() {
    [ -z "$sim_pid" ] || kill "$sim_pid" 2>/dev/null || true
    [ -z "$up_pid" ] || pkill -P "$up_pid" || true
    wineserver -k >/dev/null 2>&1 || true
}
trap end EXIT

# Wine ends its services with its last other program: one that waits keeps the machine up.
keep_up() {
    (sleep infinity | wine cmd /c pause >/dev/null 2>&1) &
    up_pid=$!
}
# A line of wine's own ends with a carriage return.
run() { timeout 300 wine "$@" </dev/null 2>&1 | tr -d '\r'; }
ta() { run 'C:\tradeagent\tradeagent.exe' "$@"; }
state() { run sc query "$1" | grep STATE || true; }
start_type() { run reg query "HKLM\\SYSTEM\\CurrentControlSet\\Services\\$1" /v Start | sed -n 's/.*REG_DWORD *//p'; }
soon() {
    local what=$1
    shift
    for _ in $(seq 150); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.2
    done
    fail "never so: $what"
}
session_open() { ta status --config 'C:\ProgramData\tradeagent\tradeagent.toml' --json | grep -q '"state": "open"'; }
is_state() { state "$1" | grep -q "$2"; }

stage "the program, for Windows"
cargo clippy --locked --quiet --target $target -p conflicts -p tradeagent --examples -- -D warnings
cargo build --locked --release --target $target -p tradeagent
cargo build --locked --release --target $target -p conflicts --example legacy_service
cargo build --locked --release -p kotak-neo-sim
built=${CARGO_TARGET_DIR:-$root/target}

stage "a machine"
mkdir -p "$work"
# A server of an earlier run knows the folder by its number, which a new one may get again.
if [ -d "$prefix" ]; then wineserver -k >/dev/null 2>&1 && wineserver -w || true; fi
rm -rf "$prefix"
wineboot -i >"$work/wineboot.log" 2>&1 || skip "wine does not start, see $work/wineboot.log"
# To its end: what comes up while it goes down meets two service managers.
wineserver -w
keep_up
mkdir -p "$prefix/drive_c/tradeagent" "$prefix/drive_c/agent/modules/kotak_neo_auto_trader" "$prefix/drive_c/agent/data"
cp "$built/$target/release/tradeagent.exe" "$prefix/drive_c/tradeagent/"
cp "$built/$target/release/examples/legacy_service.exe" "$prefix/drive_c/agent/"
# See there: wine lacks it.
x86_64-w64-mingw32-gcc -shared -O1 -o "$prefix/drive_c/tradeagent/bcryptprimitives.dll" tests/windows/bcryptprimitives.c -ladvapi32
cp "$prefix/drive_c/tradeagent/bcryptprimitives.dll" "$prefix/drive_c/agent/"
"$built/release/kotak-neo-sim" --print-credentials >"$work/credentials"
grep -v KOTAK_UCC "$work/credentials" >"$prefix/drive_c/agent/modules/kotak_neo_auto_trader/kotak_neo.env"
ucc=$(sed -n 's/^KOTAK_UCC=//p' "$work/credentials")
echo '{"trades":[{"symbol":"DEMOALFA-EQ","status":"open","qty":5,"entry_price":101.5,"entry_time":"2026-05-11T09:20:00"}]}' \
    >"$prefix/drive_c/agent/data/trades_history.json"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$built/release/kotak-neo-sim" --listen "127.0.0.1:$port" >"$work/sim.log" 2>&1 &
sim_pid=$!
curl -sf --retry 50 --retry-connrefused --retry-delay 1 "http://127.0.0.1:$port/_sim/state" >/dev/null || fail "the simulator does not listen"
for name in ModularTradeAgent_Sell ModularTradeAgent_EOD TradeAgentUnified; do
    run sc create $name binPath= 'C:\agent\legacy_service.exe' start= auto >/dev/null
    run reg add "HKLM\\SYSTEM\\CurrentControlSet\\Services\\$name\\Parameters" /v AppDirectory /t REG_SZ /d 'C:\agent' /f >/dev/null
done
# What it says is looked at, not its exit code.
for name in ModularTradeAgent_Sell TradeAgentUnified; do
    run sc start $name >/dev/null || true
    soon "$name runs" is_state $name RUNNING
done

stage "services"
status=0
ta services >"$work/services.txt" || status=$?
[ $status = 10 ] || fail "services ended with $status, not 10: $(cat "$work/services.txt")"
for what in "ModularTradeAgent_Sell is running" "TradeAgentUnified is running" ModularTradeAgent_EOD; do
    grep -q "conflict: .*$what" "$work/services.txt" || fail "services does not name $what: $(cat "$work/services.txt")"
done
grep -q "sc stop ModularTradeAgent_Sell" "$work/services.txt" || fail "services does not say what to type"
holds "services: the legacy services are named, with the command for this system; exit 10"

stage "service"
ta service install --no-enable >"$work/install.txt" || fail "service install: $(cat "$work/install.txt")"
[ "$(start_type tradeagent)" = 0x3 ] || fail "the service is not started by hand: $(start_type tradeagent)"
status=0
ta service status >"$work/status.txt" || status=$?
[ $status = 69 ] || fail "service status of a stopped service ended with $status"
config=$prefix/drive_c/ProgramData/tradeagent/tradeagent.toml
sed -i "s|^broker = \"kotak-neo\"|&\nlogin_at = \"00:00\"\nbase_url = \"http://127.0.0.1:$port\"|" "$config"
run reg query 'HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\tradeagent' | grep -q EventCreate || fail "no source in the event log"
holds "installed, started by nobody; its source in the event log; status: exit 69"

stage "migrate"
ta migrate --dry-run >"$work/plan.txt" || fail "the plan: $(cat "$work/plan.txt")"
grep -q "stop and disable ModularTradeAgent_Sell" "$work/plan.txt" || fail "the plan: $(cat "$work/plan.txt")"
is_state ModularTradeAgent_Sell RUNNING || fail "--dry-run changed something"
status=0
ta migrate >"$work/migrate0.txt" || status=$?
[ $status = 78 ] || fail "migrate without a UCC ended with $status: $(cat "$work/migrate0.txt")"
is_state ModularTradeAgent_Sell RUNNING || fail "migrate changed something before it was told the UCC"
holds "the plan changes nothing; the UCC is asked for first"
ta migrate --ucc "$ucc" >"$work/migrate.txt" || fail "migrate: $(cat "$work/migrate.txt")"
cat "$work/migrate.txt"
for line in "Only unified" "Old services" "Login successful" "No JWT" "Tasks execute" "Re-authentication" NoneType Thread-safe; do
    grep -qE "^\[[x ]\] .*$line" "$work/migrate.txt" || fail "the checklist line '$line' does not hold"
done
grep -q "not adopted: 5 x DEMOALFA" "$work/migrate.txt" || fail "an open trade that is not held was not told"
for name in ModularTradeAgent_Sell ModularTradeAgent_EOD TradeAgentUnified; do
    is_state $name STOPPED || fail "$name runs: $(state $name)"
    [ "$(start_type $name)" = 0x4 ] || fail "$name is not disabled: $(start_type $name)"
done
[ "$(start_type tradeagent)" = 0x2 ] || fail "ours does not come up with the machine"
ta services >"$work/services2.txt" || fail "services still finds a conflict: $(cat "$work/services2.txt")"
holds "migrated, every line of the checklist; the legacy services are stopped and disabled; services: exit 0"
ta migrate >"$work/migrate2.txt" || fail "a second migrate: $(cat "$work/migrate2.txt")"
holds "migrate twice is safe"

stage "life"
soon "a session" session_open
ta service status | grep -q Running || fail "the service does not run"
holds "the service runs, answers on its pipe, and has a session"
printf 'state_dir = "state"\n[account.main]\nbroker = "kotak-neo"\nenv_file = "kotak_neo.env"\nlogin_at = "00:00"\nbase_url = "http://127.0.0.1:%s"\n[lock]\ndir = "lock"\n[control]\nsocket = \x27\\\\.\\pipe\\other\x27\n[conflicts]\nauto_stop = false\n' "$port" >"$work/other.toml"
mkdir -p "$prefix/drive_c/other"
cp "$work/other.toml" "$prefix/drive_c/other/tradeagent.toml"
cp "$work/credentials" "$prefix/drive_c/other/kotak_neo.env"
count=$(curl -sf "http://127.0.0.1:$port/_sim/state" | python3 -c 'import json,sys; print(json.load(sys.stdin)["logins"])')
status=0
ta run --config 'C:\other\tradeagent.toml' >"$work/other.txt" || status=$?
[ $status = 10 ] || fail "a second host with a lock folder of its own ended with $status: $(cat "$work/other.txt")"
status=0
ta guard -- cmd /c exit 3 >"$work/guard.txt" || status=$?
[ $status = 75 ] || fail "guard beside the service ended with $status: $(cat "$work/guard.txt")"
run sc start ModularTradeAgent_Sell >/dev/null || true
is_state ModularTradeAgent_Sell STOPPED || fail "a disabled service started"
[ "$(curl -sf "http://127.0.0.1:$port/_sim/state" | python3 -c 'import json,sys; print(json.load(sys.stdin)["logins"])')" = "$count" ] ||
    fail "a login was made"
holds "a second host: exit 10; guard: exit 75; a legacy service started by hand does not start; the login count is the same"
ta service stop || fail "service stop"
is_state tradeagent STOPPED || fail "it does not stop: $(state tradeagent)"
grep -q "login 1" "$prefix"/drive_c/ProgramData/tradeagent/state/log/tradeagent.*.log || fail "no log"
status=0
ta guard -- cmd /c exit 3 >"$work/guard2.txt" || status=$?
[ $status = 3 ] || fail "guard's exit code is $status, not its program's: $(cat "$work/guard2.txt")"
status=0
ta guard -- no-such-program >"$work/guard3.txt" || status=$?
[ $status = 2 ] || fail "guard of a program that is not there ended with $status"
grep -q "cannot be started" "$work/guard3.txt" || fail "guard does not say why: $(cat "$work/guard3.txt")"
ta service start || fail "service start"
soon "a session again" session_open
holds "service stop and start; guard in between runs its program; the log is in files"

stage "undo"
ta migrate --undo >"$work/undo.txt" || fail "undo: $(cat "$work/undo.txt")"
for name in ModularTradeAgent_Sell TradeAgentUnified; do
    is_state $name RUNNING || fail "$name does not run again"
    [ "$(start_type $name)" = 0x2 ] || fail "$name is not enabled again: $(start_type $name)"
done
is_state ModularTradeAgent_EOD STOPPED || fail "what did not run before runs now"
[ -z "$(start_type tradeagent)" ] || fail "our service is still there"
holds "undo: the legacy services are as they were, ours is gone"

stage "$checks checks hold"
