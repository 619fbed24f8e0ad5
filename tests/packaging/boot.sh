# Runs as a service in the booted root. What it prints is compared line by line.
exec >/root/transcript 2>/root/trouble
config=/etc/drove-gateway/nixy.toml

answers() { # VHOST: wait until it is served
    for _ in $(seq 100); do
        curl -sf -o /dev/null -H "Host: $1" http://127.0.0.1/ && return
        sleep 0.1
    done
    return 1
}

wait_for() { # COMMAND...
    for _ in $(seq 100); do
        "$@" && return
        sleep 0.1
    done
    return 1
}

ask() { echo "$1: $(systemctl show -P "$2" drove-gateway)"; }

wait_for test -S /run/haproxy/admin.sock
wait_for curl -sf -o /dev/null http://127.0.0.1:4000/apis/v1/ping
systemctl start drove-gateway && echo "started"
ask "state" ActiveState
ask "user" User
answers app1.local && echo "serves"
echo "capabilities: $(sed -n 's/^CapEff:\t//p' "/proc/$(systemctl show -P MainPID drove-gateway)/status")"

curl -sf -o /dev/null http://127.0.0.1:4100/deploy -d '{"name": "new", "instances": 2}'
answers new.local && echo "serves what is new, after a reload by polkit"

setpriv --reuid drove-gateway --regid drove-gateway --clear-groups \
    systemctl restart haproxy || echo "may not restart the proxy"
setpriv --reuid drove-gateway --regid drove-gateway --clear-groups \
    systemctl reload dbus || echo "may not reload what is not a proxy"

systemctl reload drove-gateway && echo "reloaded"
systemctl restart haproxy
wait_for journalctl -q -u drove-gateway --grep 'SIGUSR2: bringing the restarted proxy up to date' \
    -o cat >/dev/null && echo "hears of the proxy's restart"

before=$(systemctl show -P MainPID drove-gateway)
kill -KILL "$before"
restarted() { [ "$(systemctl show -P NRestarts drove-gateway)" = 1 ] && systemctl -q is-active drove-gateway; }
wait_for restarted && echo "killed, it is started again"
systemctl stop drove-gateway && echo "stopped"
ask "result" Result
{ cat "$config"; journalctl --no-pager -u drove-gateway -u haproxy -u cluster; } >>/root/trouble 2>&1
systemctl poweroff --no-block
