"""Addresses as HAProxy shows them, in the spelling that Drove's hosts have here."""

import pytest

from drove_gateway.model.spelling import host_spelling
from drove_gateway.proxies.haproxy.api.server_state import servers

HEADER = (
    "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight "
    "srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_port srv_use_ssl"
)


@pytest.mark.parametrize("host", ["::ffff:127.0.0.1", "2001:DB8:0::1", "10.0.0.7"])
def test_an_address_is_the_same_however_haproxy_writes_it(host: str) -> None:
    (server,) = servers(f"{HEADER}\n3 b 1 s {host} 2 0 1 1 9 6 3 80 0")["b"]
    assert server.address == host_spelling(host)
