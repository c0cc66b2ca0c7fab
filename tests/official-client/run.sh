#!/usr/bin/env bash
# Kotak's official Python client, `kotakneoapi` 3.0.9, against `kotak-neo-sim`: the simulator speaks the
# broker's wire when the broker's own client cannot tell the difference.
#
#   tests/official-client/run.sh             builds the simulator, then runs the sequence
#   SIM=path/to/kotak-neo-sim …/run.sh       runs the sequence against that one
#   VENV=folder …/run.sh                     keeps the Python environment there for the next time
#
# Ends with 0 when every answer is as it must be, 1 when one is not, 77 when the official client cannot be
# installed here (no Python 3.10 or later, no package index): that is not a pass.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
client=kotakneoapi==3.0.9

scratch=$(mktemp -d)
simulator=
end() {
    if [ -n "$simulator" ]; then
        kill "$simulator" 2>/dev/null || true
        wait "$simulator" 2>/dev/null || true
    fi
    rm -rf "$scratch"
}
trap end EXIT

skip() {
    echo "SKIPPED: $1"
    exit 77
}

python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
    skip "the official client needs Python 3.10 or later"
venv=${VENV:-$scratch/venv}
if [ ! -x "$venv/bin/python" ]; then
    "$python" -m venv "$venv" >"$scratch/venv.log" 2>&1 || skip "no Python environment can be made: $(tail -n 1 "$scratch/venv.log")"
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$client" >"$scratch/pip.log" 2>&1 ||
    skip "$client cannot be installed: $(tail -n 1 "$scratch/pip.log")"

built=${CARGO_TARGET_DIR:-$here/../../target}/debug
if [ -z "${SIM:-}" ]; then
    (cd "$here/../.." && cargo build --quiet --locked -p kotak-neo-sim)
    SIM=$built/kotak-neo-sim
fi
# Our own client, which has to see what the official one sees.
if [ -z "${ORDER_BOOK:-}" ]; then
    (cd "$here/../.." && cargo build --quiet --locked -p kotak-neo --example order_book)
    ORDER_BOOK=$built/examples/order_book
fi
export ORDER_BOOK

# Starts a simulator with the given options on a free port; $address is where.
start() {
    [ -z "$simulator" ] || { kill "$simulator"; wait "$simulator" 2>/dev/null || true; simulator=; }
    rm -f "$scratch/greeting"
    mkfifo "$scratch/greeting"
    "$SIM" --listen 127.0.0.1:0 "$@" >"$scratch/greeting" &
    simulator=$!
    # Kept open: whatever it still has to say finds a reader.
    exec 3<"$scratch/greeting"
    local line
    read -r -t 60 line <&3
    address=${line##* }
}

run() {
    env NEO_LOG_FILE_ENABLED=false NEO_LOG_LEVEL=CRITICAL NEO_SCRIP_CACHE_DIR="$scratch/scrips" HOME="$scratch" \
        PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" "$here/sequence.py" "$@"
}

"$SIM" --print-credentials >"$scratch/credentials"

echo "== one client, every call"
start
run one "$address" "$scratch/credentials"

echo "== two clients and ours at the same time"
start --one-session false
run two "$address" "$scratch/credentials"
