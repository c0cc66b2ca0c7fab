#!/usr/bin/env bash
# Puts the Python agent into a tree: its units and timers as its own setup writes them, and scripts that run.
set -euo pipefail
box=$1
scripts=$box/opt/agent/modules/kotak_neo_auto_trader
units=$box/etc/systemd/system
mkdir -p "$scripts" "$box/opt/agent/data" "$box/opt/agent/venv/bin"
for script in run_sell_orders run_auto_trade run_position_monitor run_eod_cleanup run_trading_service; do
    printf 'import time\nwhile True:\n    time.sleep(1)\n' >"$scripts/$script.py"
done
ln -sf /usr/bin/python3 "$box/opt/agent/venv/bin/python"
cp -L "$box/usr/bin/python3" "$box/usr/bin/botpy"
printf '{"trades":[{"symbol":"DEMOALFA","qty":5,"entry_price":100.5,"entry_time":"2025-11-03T16:05:00","status":"open"},{"symbol":"DEMOBETA","qty":1,"entry_price":1,"status":"closed"}]}\n' \
    >"$box/opt/agent/data/trades_history.json"
unit() {
    printf '[Unit]\nDescription=agent: %s\n[Service]\nType=oneshot\nWorkingDirectory=/opt/agent\nExecStart=/usr/bin/python3 -m modules.kotak_neo_auto_trader.%s\n' \
        "$1" "$2" >"$units/tradeagent-$1.service"
    printf '[Unit]\nDescription=agent timer: %s\n[Timer]\nOnCalendar=Mon-Fri %s\nPersistent=true\n[Install]\nWantedBy=timers.target\n' \
        "$1" "$3" >"$units/tradeagent-$1.timer"
    mkdir -p "$units/timers.target.wants"
    ln -sf "/etc/systemd/system/tradeagent-$1.timer" "$units/timers.target.wants/tradeagent-$1.timer"
}
unit sell run_sell_orders 09:15
unit autotrade run_auto_trade 16:00
unit monitor run_position_monitor 09:30
unit eod run_eod_cleanup 15:35
# The old unified service, with an operator's drop-in; ours has its name.
printf '[Unit]\nDescription=agent: unified\n[Service]\nWorkingDirectory=/opt/agent\nExecStart=/usr/bin/python3 -m modules.kotak_neo_auto_trader.run_trading_service\n[Install]\nWantedBy=multi-user.target\n' \
    >"$units/tradeagent-unified.service"
mkdir -p "$units/tradeagent-unified.service.d"
printf '[Service]\nUser=nobody\n' >"$units/tradeagent-unified.service.d/user.conf"
# A bot of the operator's own, made known by a link.
printf 'import time\nwhile True:\n    time.sleep(1)\n' >"$box/opt/agent/my_bot.py"
printf '[Unit]\nDescription=a bot\n[Service]\nExecStart=/usr/bin/python3 /opt/agent/my_bot.py\n[Install]\nWantedBy=multi-user.target\n' \
    >"$box/opt/agent/my-bot.service"
ln -sf /opt/agent/my-bot.service "$units/my-bot.service"
# The broker: a simulator on the loopback of the container.
printf '[Unit]\nDescription=a made-up broker\nBefore=tradeagent-unified.service\n[Service]\nExecStart=/usr/bin/kotak-neo-sim --listen 127.0.0.1:8080\n[Install]\nWantedBy=multi-user.target\n' \
    >"$units/kotak-neo-sim.service"
mkdir -p "$units/multi-user.target.wants"
ln -sf /etc/systemd/system/tradeagent-unified.service "$units/multi-user.target.wants/tradeagent-unified.service"
ln -sf /opt/agent/my-bot.service "$units/multi-user.target.wants/my-bot.service"
ln -sf /etc/systemd/system/kotak-neo-sim.service "$units/multi-user.target.wants/kotak-neo-sim.service"
