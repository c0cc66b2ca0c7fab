#!/usr/bin/env bash
# The service on a real systemd: a Debian tree, booted, with the Python agent's units, timers and scripts in it.
#
#   tests/nspawn/run.sh              exit 0: everything below holds; 77: not possible here, nothing verified
#
# What it needs: root, systemd-nspawn, debootstrap, cargo-deb (apt-get install systemd-container debootstrap;
# cargo install cargo-deb). The tree is kept in target/nspawn between runs.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
work=$root/target/nspawn
box=$work/box
machine=tradeagent-test-$$
checks=0

skip() {
    echo "SKIPPED, nothing was verified: $*" >&2
    exit 77
}
[ "$(id -u)" = 0 ] || skip "only root can boot a container"
for tool in systemd-nspawn debootstrap cargo-deb nsenter curl; do
    command -v "$tool" >/dev/null || skip "$tool is not installed"
done

fail() {
    echo "FAILED: $*" >&2
    inside journalctl --no-pager -u tradeagent-unified -u tradeagent-helper -n 40 >&2 || true
    exit 1
}
holds() {
    checks=$((checks + 1))
    echo "  ok: $*"
}
stage() { echo "== $(date +%T) $*"; }

leader=
find_leader() {
    local nspawn
    for _ in $(seq 300); do
        nspawn=$(pgrep -f -- "^systemd-nspawn .*--machine=$machine" | head -1) || true
        leader=$(pgrep -P "${nspawn:-0}" | head -1) || true
        if [ -n "$leader" ] && nsenter -t "$leader" -a -- systemctl is-system-running --wait 2>/dev/null |
            grep -E 'running|degraded' >/dev/null; then
            return
        fi
        sleep 0.2
    done
    fail "the container does not come up"
}
inside() { nsenter -t "$leader" -a -- "$@"; }
sim() { nsenter -t "$leader" -n -- curl -sf --retry 20 --retry-connrefused --retry-delay 1 "http://127.0.0.1:8080/_sim/$1"; }
logins() { sim state | python3 -c 'import json,sys; print(json.load(sys.stdin)["logins"])'; }
pid() { inside systemctl show -p MainPID --value tradeagent-unified; }
# Looks until a command succeeds.
soon() {
    local what=$1
    shift
    for _ in $(seq 300); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.2
    done
    fail "never so: $what"
}
active() { [ "$(inside systemctl is-active tradeagent-unified)" = active ]; }
another_pid() { local now; now=$(pid); [ "$now" != 0 ] && [ "$now" != "$1" ] && active; }
session_open() { inside tradeagent status --json | grep '"state": "open"' >/dev/null; }

stop_box() {
    if [ -n "$leader" ]; then
        inside systemctl poweroff >/dev/null 2>&1 || true
        for _ in $(seq 100); do
            pgrep -f -- "--machine=$machine" >/dev/null || break
            sleep 0.2
        done
    fi
    pkill -KILL -f -- "--machine=$machine" >/dev/null 2>&1 || true
}
trap stop_box EXIT

stage "packages"
cargo build --release --locked -p tradeagent -p conflicts -p kotak-neo-sim
cargo deb --quiet --no-build -p tradeagent --output "$work/tradeagent.deb"

stage "the tree"
if [ ! -e "$work/tree/usr/bin/systemctl" ]; then
    rm -rf "$work/tree"
    debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,python3-minimal,procps,ca-certificates \
        bookworm "$work/tree" >"$work/debootstrap.log" 2>&1 || skip "debootstrap failed, see $work/debootstrap.log"
fi
rm -rf "$box"
cp -a --reflink=auto "$work/tree" "$box"
target=${CARGO_TARGET_DIR:-$root/target}
install -m 755 "$target/release/kotak-neo-sim" "$box/usr/bin/kotak-neo-sim"
cp "$work/tradeagent.deb" "$box/root/"
tests/nspawn/legacy.sh "$box"
"$target/release/kotak-neo-sim" --print-credentials | grep -v KOTAK_UCC \
    >"$box/opt/agent/modules/kotak_neo_auto_trader/kotak_neo.env"
chmod 644 "$box/opt/agent/modules/kotak_neo_auto_trader/kotak_neo.env"
ucc=$("$target/release/kotak-neo-sim" --print-credentials | sed -n 's/^KOTAK_UCC=//p')

stage "boot"
# It ends with 133 when the container reboots, and is to be started again.
boot() {
    local status=133
    while [ $status = 133 ]; do
        status=0
        systemd-nspawn -D "$box" --boot --register=no --keep-unit --private-network "--machine=$machine" \
            </dev/null >>"$work/boot.log" 2>&1 || status=$?
    done
}
: >"$work/boot.log"
boot &
find_leader
[ "$(inside systemctl is-active tradeagent-sell.timer)" = active ] || fail "the legacy timers do not run"
inside systemctl start --no-block tradeagent-sell.service
soon "the legacy oneshot runs" inside pgrep -f run_sell_orders
inside sh -c 'cd /opt/agent/modules/kotak_neo_auto_trader && setsid /opt/agent/venv/bin/python run_auto_trade.py >/dev/null 2>&1 &'
inside sh -c 'setsid /usr/bin/botpy /opt/agent/modules/kotak_neo_auto_trader/run_position_monitor.py >/dev/null 2>&1 &'
inside sh -c 'exec -a vim setsid tail -f /opt/agent/modules/kotak_neo_auto_trader/run_eod_cleanup.py >/dev/null 2>&1 &'
soon "the scripts run" inside pgrep -f run_position_monitor

stage "the package"
inside dpkg -i /root/tradeagent.deb >"$work/dpkg.log" 2>&1 || fail "the package does not install: $(tail -3 "$work/dpkg.log")"
if inside pgrep -f 'tradeagent run' >/dev/null; then fail "the package starts a host by itself"; fi
sed -i 's|^broker = "kotak-neo"|&\nlogin_at = "00:00"\nlogins_per_day = 40\nbase_url = "http://127.0.0.1:8080"|' "$box/etc/tradeagent/tradeagent.toml"
sed -i 's|^auto_stop = true|&\nunits = ["my-bot"]|' "$box/etc/tradeagent/tradeagent.toml"
holds "installed, nothing started"

stage "services"
status=0
inside tradeagent services >"$work/services.txt" || status=$?
[ $status = 10 ] || fail "services ended with $status, not 10"
for what in tradeagent-sell.timer tradeagent-autotrade.timer tradeagent-monitor.timer tradeagent-eod.timer my-bot.service \
    "tradeagent-sell.service is running" run_auto_trade.py run_position_monitor.py; do
    grep -q "conflict: .*$what" "$work/services.txt" || fail "services does not name $what: $(cat "$work/services.txt")"
done
if grep -q run_eod_cleanup "$work/services.txt"; then fail "an editor is taken for the script"; fi
holds "services: timers, an activating oneshot, a virtualenv, a renamed interpreter; no editor; exit 10"

stage "migrate"
inside tradeagent migrate --dry-run >"$work/plan.txt"
[ "$(inside systemctl is-active tradeagent-sell.timer)" = active ] || fail "--dry-run changed something"
status=0
inside tradeagent migrate </dev/null >"$work/migrate0.txt" 2>&1 || status=$?
[ $status = 78 ] || fail "migrate without a UCC ended with $status: $(cat "$work/migrate0.txt")"
grep -q KOTAK_UCC "$work/migrate0.txt" || fail "migrate does not ask for the UCC"
[ "$(inside systemctl is-active tradeagent-sell.timer)" = active ] || fail "migrate changed something before it was told the UCC"
holds "the plan changes nothing; the UCC is asked for first"
inside systemctl stop kotak-neo-sim
status=0
inside tradeagent migrate --ucc "$ucc" >"$work/migrate1.txt" 2>&1 || status=$?
[ $status != 0 ] || fail "migrate without a broker: $(cat "$work/migrate1.txt")"
grep -q "tradeagent migrate. goes on from here" "$work/migrate1.txt" || fail "it does not say how to go on: $(cat "$work/migrate1.txt")"
if active; then fail "a host was started although the open trades could not be checked"; fi
inside systemctl start kotak-neo-sim
sim state >/dev/null
holds "a migration that the broker's silence stops says how to go on, and starts nothing"
inside tradeagent migrate >"$work/migrate.txt" 2>&1 || fail "migrate: $(cat "$work/migrate.txt")"
cat "$work/migrate.txt"
for line in "Only unified" "Old services" "Login successful" "No JWT" "Tasks execute" "Re-authentication" NoneType Thread-safe; do
    grep -qE "^\[[x ]\] .*$line" "$work/migrate.txt" || fail "the checklist line '$line' does not hold"
done
grep -q "not adopted: 5 x DEMOALFA" "$work/migrate.txt" || fail "an open trade that is not held was not told"
holds "migrated, every line of the checklist"
for unit in sell autotrade monitor eod; do
    for kind in timer service; do
        state=$(inside systemctl is-enabled tradeagent-$unit.$kind 2>/dev/null || true)
        [ "$state" = masked ] || fail "tradeagent-$unit.$kind is $state"
    done
done
if inside pgrep -f 'run_(sell|auto|position)' >/dev/null; then fail "a script still runs"; fi
[ "$(stat -c %a "$box/opt/agent/modules/kotak_neo_auto_trader/kotak_neo.env")" = 600 ] || fail "the old credentials stay open"
[ "$(stat -c %a "$box/etc/tradeagent/kotak_neo.env")" = 600 ] || fail "the credentials are open"
inside tradeagent services >/dev/null || fail "services still finds a conflict"
[ "$(inside systemctl is-enabled my-bot.service 2>/dev/null || true)" = masked ] || fail "the operator's own bot is not masked"
if inside systemctl cat tradeagent-unified | grep User=nobody >/dev/null; then fail "the old unit's drop-in holds for ours"; fi
holds "every legacy unit is masked, no script runs, the credentials are for root only, services: exit 0"
inside tradeagent migrate >"$work/migrate2.txt" 2>&1 || fail "a second migrate: $(cat "$work/migrate2.txt")"
holds "migrate twice is safe"

stage "life"
active || fail "the unit is not active"
soon "a session" session_open
before=$(pid)
inside systemctl kill -s KILL tradeagent-unified
soon "it comes back" another_pid "$before"
soon "a session" session_open
holds "kill -9: another process, a session again"
mkdir -p "$box/etc/systemd/system/tradeagent-unified.service.d"
printf '[Service]\nWatchdogSec=8\n' >"$box/etc/systemd/system/tradeagent-unified.service.d/test.conf"
inside systemctl daemon-reload
inside systemctl restart tradeagent-unified
before=$(pid)
inside kill -STOP "$before"
soon "the watchdog restarts it" another_pid "$before"
inside journalctl --no-pager -u tradeagent-unified | grep 'Watchdog timeout' >/dev/null || fail "it was not the watchdog"
rm -r "$box/etc/systemd/system/tradeagent-unified.service.d"
inside systemctl daemon-reload
inside systemctl restart tradeagent-unified
soon "a session" session_open
holds "a host that hangs is restarted by the watchdog"

stage "a stranger's strategy"
# The shipped monitor with a section more: another component, and nobody has signed it.
components=$box/var/lib/private/tradeagent/components
cat "$(find "$target/release/build" -path '*/out/monitor.wasm' | head -1)" <(printf '\000\005\003sav\001') >"$work/stranger.wasm"
before=$(pid)
install -m 644 "$work/stranger.wasm" "$components/monitor.wasm"
candidates() {
    inside tradeagent status --json |
        python3 -c 'import json,sys; print(sum(bool(it["candidate"]) for it in json.load(sys.stdin)["versions"]))'
}
waits() { [ "$(candidates)" = 1 ]; }
gone() { [ "$(candidates)" = 0 ]; }
soon "it waits in shadow" waits
[ "$(pid)" = "$before" ] || fail "our process changed"
rm "$components/monitor.wasm"
soon "it is taken back with its file" gone
holds "a stranger's strategy is compiled by a process of its own and waits; without its file it is gone"

stage "a legacy unit by hand"
before=$(pid)
count=$(logins)
if inside systemctl start tradeagent-sell.service 2>/dev/null; then fail "a masked unit started"; fi
if inside systemctl start tradeagent-sell.timer 2>/dev/null; then fail "a masked timer started"; fi
status=0
inside tradeagent guard -- python3 /opt/agent/modules/kotak_neo_auto_trader/run_sell_orders.py 2>"$work/guard.txt" || status=$?
[ $status = 75 ] || fail "guard ended with $status"
[ "$(pid)" = "$before" ] || fail "our process changed"
[ "$(logins)" = "$count" ] || fail "a login was made: $count, then $(logins)"
status=0
inside runuser -u nobody -- tradeagent guard -- true 2>"$work/guard2.txt" || status=$?
[ $status = 77 ] || fail "guard of a user who may not see the lock ended with $status"
grep -q "sudo tradeagent" "$work/guard2.txt" || fail "guard does not say who may: $(cat "$work/guard2.txt")"
holds "started by hand: nothing starts, our process and the login count are the same; guard: exit 75"

stage "another host"
# Of another user, with a configuration, a lock folder and a state of its own.
printf 'state_dir = "/tmp/other/state"\n[account.main]\nbroker = "kotak-neo"\nenv_file = "kotak_neo.env"\nlogin_at = "00:00"\nbase_url = "http://127.0.0.1:8080"\n[lock]\ndir = "/tmp/other/lock"\n[control]\nsocket = "/tmp/other/main.sock"\n[conflicts]\nauto_stop = false\n' \
    >"$work/other.toml"
for user in root nobody; do
    inside rm -rf /tmp/other
    inside install -d -m 700 -o $user /tmp/other
    inside install -m 600 -o $user /etc/tradeagent/kotak_neo.env /tmp/other/kotak_neo.env
    inside sh -c 'cat >/tmp/other/tradeagent.toml; chmod 644 /tmp/other/tradeagent.toml' <"$work/other.toml"
    status=0
    inside runuser -u $user -- tradeagent run --config /tmp/other/tradeagent.toml >"$work/other.txt" 2>&1 || status=$?
    [ $status = 10 ] || fail "a second host of $user ended with $status: $(tail -3 "$work/other.txt")"
    grep -q "another .tradeagent run." "$work/other.txt" || fail "it does not name the first: $(cat "$work/other.txt")"
done
active || fail "the first host is gone"
[ "$(logins)" = "$count" ] || fail "a second host logged in: $count, then $(logins)"
holds "a second host, of root and of another user, with other lock folders: exit 10, no login, the first goes on"

stage "reboot"
inside systemctl reboot >/dev/null 2>&1 || true
old=$leader
for _ in $(seq 200); do
    kill -0 "$old" 2>/dev/null || break
    sleep 0.2
done
find_leader
soon "active after the reboot" active
soon "a session after the reboot" session_open
for unit in sell autotrade monitor eod; do
    [ "$(inside systemctl is-active tradeagent-$unit.timer || true)" != active ] || fail "a legacy timer came back"
done
holds "a reboot starts our unit and no legacy timer"

stage "a program that cannot be seen from here"
count=$(logins)
nsenter -t "$leader" -n -- curl -sf -d '{"kind":"foreign-login","after_s":13}' http://127.0.0.1:8080/_sim/faults >/dev/null
nsenter -t "$leader" -n -- curl -sf -d '{}' http://127.0.0.1:8080/_sim/foreign-login >/dev/null
contested() { inside tradeagent status --json | grep '"state": "contested"' >/dev/null; }
for _ in $(seq 6); do (soon "the account is contested" contested) 2>/dev/null && break || true; done
contested || fail "the account is not contested: $(inside tradeagent status)"
[ $(($(logins) - count)) -le 3 ] || fail "$(($(logins) - count)) logins against a program that cannot be seen"
inside tradeagent status | grep -i "another program" >/dev/null || fail "status does not say why: $(inside tradeagent status)"
nsenter -t "$leader" -n -- curl -sf -d '{}' http://127.0.0.1:8080/_sim/clear >/dev/null
holds "named as a contest and left alone after at most 3 logins"

stage "undo"
inside tradeagent migrate --undo >"$work/undo.txt" 2>&1 || fail "undo: $(cat "$work/undo.txt")"
for unit in sell autotrade monitor eod; do
    [ "$(inside systemctl is-enabled tradeagent-$unit.timer)" = enabled ] || fail "tradeagent-$unit.timer is not enabled again"
    [ "$(inside systemctl is-active tradeagent-$unit.timer)" = active ] || fail "tradeagent-$unit.timer does not run again"
done
if inside pgrep -f 'tradeagent run' >/dev/null; then fail "our host still runs"; fi
[ "$(inside systemctl is-enabled tradeagent-unified)" = enabled ] || fail "the old unified unit is not enabled again"
[ "$(inside systemctl is-active tradeagent-unified)" = active ] || fail "the old unified unit does not run again"
[ "$(stat -c %a "$box/opt/agent/modules/kotak_neo_auto_trader/kotak_neo.env")" = 644 ] || fail "the old permissions are not back"
[ "$(inside systemctl is-active my-bot.service)" = active ] || fail "the operator's own bot does not run again"
[ -e "$box/etc/systemd/system/tradeagent-unified.service.d/user.conf" ] || fail "the old drop-in is not back"
inside tradeagent migrate --undo | grep "nothing to undo" >/dev/null || fail "a second undo does something"
inside dpkg -r tradeagent >"$work/remove.log" 2>&1 || fail "the package cannot be removed: $(cat "$work/remove.log")"
[ "$(inside systemctl is-active tradeagent-unified)" = active ] || fail "the old unified unit is stopped by a second undo, or by the package's removal"
[ "$(inside systemctl is-enabled tradeagent-unified)" = enabled ] || fail "the old unified unit is disabled by a second undo, or by the package's removal"
holds "undo: the legacy timers are enabled and wait, ours is gone"

stage "$checks checks hold"
