"""The shipped templates lose no request and no memory at reloads."""

from tests.templates.serving import Shipped, app, topology

from drove_gateway.model.vocabulary import Host
from drove_gateway.proxies.haproxy import hazards as haproxy
from drove_gateway.proxies.installation.version import installed_version
from drove_gateway.proxies.nginx import hazards as nginx


async def test_a_shipped_template_has_no_hazard_that_its_proxy_can_avoid(shipped: Shipped) -> None:
    text = await shipped.write(topology(app("web.example.com", Host("10.0.0.1", 31000, "http"))))
    version = await installed_version((str(shipped.program),), timeout=20)
    examine = nginx.examine if shipped.nginx else haproxy.examine

    found = [each for each in examine(text, shipped.config, version).findings if each.subjects]

    assert [each.check for each in found if "cannot avoid" not in each.advice] == []
