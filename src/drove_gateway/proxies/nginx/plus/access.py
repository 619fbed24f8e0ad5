"""How NGINX's API is reached: its URL, basic auth, and whom TLS trusts."""

import ssl
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec


class Access(msgspec.Struct, frozen=True):
    """How the API is reached: HOST:PORT, a URL or unix:/PATH; basic auth where `user` is set.

    `product` is what messages call the server of the API.
    """

    address: str
    user: str = ""
    password: str = ""
    ca_file: str = ""
    skip_verify: bool = False
    product: str = "NGINX Plus"

    @property
    def socket(self) -> str:
        """Return the path of the Unix socket; empty where the API is reached over TCP."""
        return self.address.removeprefix("unix:") if self.address.startswith("unix:") else ""

    @property
    def shown(self) -> str:
        """Return the URL as messages show it: `unix:/PATH:/api` for a Unix socket, as in NGINX."""
        return f"{self.address}:/api" if self.socket else self.url

    @property
    def url(self) -> str:
        """Return the URL above the API versions, without a final slash."""
        if self.socket:
            return "http://localhost/api"
        url = self.address if "://" in self.address else f"http://{self.address}"
        url = url.rstrip("/")
        return url if urlsplit(url).path.endswith("/api") else f"{url}/api"

    def headers(self) -> Mapping[str, str]:
        """The headers that let the gateway in."""
        if not self.user:
            return {}
        credentials = f"{self.user}:{self.password}".encode()
        return {"Authorization": f"Basic {b64encode(credentials).decode()}"}

    def tls(self) -> ssl.SSLContext | bool:
        """Whom to trust, as aiohttp takes it. Raises OSError when `ca_file` cannot be used."""
        if self.skip_verify:
            return False
        return ssl.create_default_context(cafile=self.ca_file) if self.ca_file else True
