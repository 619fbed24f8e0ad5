# Runs as a service in the booted root. What it prints is compared line by line.
exec >/root/transcript 2>/root/trouble

wait_for() { # SECONDS COMMAND...
    end=$(($(date +%s) + $1)) && shift
    until "$@"; do
        [ "$(date +%s)" -lt "$end" ] || return 1
        sleep 0.1
    done
}
ask() { systemctl show -P "$1" drove-gateway; }
report() {
    echo "$1: $(ask ActiveState), restarts: $(ask NRestarts)"
    wait_for 10 sh -c 'systemctl show -P StatusText drove-gateway | grep -q "no response and no stored state: production"' \
        && echo "the status says what is missing"
    cmp /etc/haproxy/haproxy.cfg /root/haproxy.cfg && echo "haproxy.cfg is unchanged"
}

wait_for 60 systemctl -q is-active multi-user.target && echo "the boot is over"
report "after the boot"

systemctl disable --now drove-gateway
systemctl stop haproxy
timeout 60 systemctl enable --now drove-gateway && echo "enable --now returns"
report "with the proxy away too"

systemctl start haproxy && systemctl -q is-active haproxy && echo "haproxy starts"
timeout 60 systemctl stop drove-gateway && echo "stopped: $(ask Result)"
journalctl --no-pager -u drove-gateway -u haproxy >>/root/trouble 2>&1
systemctl poweroff --no-block
