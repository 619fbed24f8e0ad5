# Runs as a service in the booted root. What it prints is compared line by line.
exec >/root/transcript 2>/root/trouble
unit=drove.gateway.service

wait_for() { # COMMAND...
    for _ in $(seq 200); do
        "$@" && return
        sleep 0.1
    done
    return 1
}
answers() { curl -sf -o /dev/null -H "Host: $1" http://127.0.0.1/; }
active() { systemctl -q is-active "$1"; }

wait_for curl -sf -o /dev/null http://127.0.0.1:4000/apis/v1/ping
wait_for active $unit
grep -q "exec sleep" /usr/bin/nixy && echo "the original runs"

dpkg -i /root/new.deb >&2 && echo "upgraded"
/usr/bin/nixy -v | grep version
[ -e /etc/nixy/nixy.toml ] && [ -e /etc/nixy/haproxy.tmpl ] && echo "configuration kept: /etc/nixy/nixy.toml"
[ -e /etc/drove-gateway/nixy.toml ] || echo "no second configuration"
wait_for active $unit && [ -z "$(systemctl show -P User $unit)" ] && echo "$unit is active as root"
[ "$(systemctl show -P Id nixy.service)" = $unit ] && echo "nixy.service is the same service"
wait_for answers app1.local && echo "serves app1.local"
(cd / && drove-gateway status --wait 20 >&2) && echo "status finds the configuration"

dpkg --remove drove-gateway >&2
echo "after removal: $(systemctl is-active $unit)"
[ -e /etc/nixy/nixy.toml ] && echo "configuration kept after removal"
dpkg -i /root/new.deb >&2 && echo "installed again"
systemctl start $unit
dpkg --purge drove-gateway >&2
echo "after purge: $(systemctl is-active $unit)"
{ journalctl --no-pager -u $unit -u haproxy; systemctl status $unit; } >>/root/trouble 2>&1
systemctl poweroff --no-block
