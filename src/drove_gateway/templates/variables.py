"""The values that the shipped templates read as `.Vars.NAME`.

A gateway takes them from its environment or from the `[template]` table of nixy.toml. Each template
lists its own with their meaning and default at its head.
"""

from typing import Final

VARIABLES: Final = frozenset(
    {
        "ACME_ADDRESS",
        "CONNECT_TIMEOUT",
        "GENERATION_PORT",
        "HAPROXY_CHROOT",
        "HAPROXY_LOG",
        "HAPROXY_USER",
        "HSTS_SECONDS",
        "HTTP3",
        "HTTPS_REDIRECT",
        "MAX_BODY_SIZE",
        "NGINX_ACCESS_LOG",
        "NGINX_API_PORT",
        "NGINX_ERROR_LOG",
        "NGINX_LUA_MODULES",
        "NGINX_PID",
        "NGINX_STATE_DIR",
        "NGINX_TEMP",
        "NGINX_USER",
        "NGINX_ZONE_SIZE",
        "PROXY_HTTPS_PORT",
        "PROXY_HTTP_PORT",
        "PROXY_IPV6",
        "PROXY_PROTOCOL",
        "REQUEST_ID_HEADER",
        "ROUTING_HEADER",
        "SERVER_TIMEOUT",
        "TLS_CERTIFICATES",
        "TLS_DEFAULT_CERTIFICATE",
        "TRUSTED_PROXIES",
    }
)
"""Their names; environment variables with other names reach `.Vars` only if the table has them."""
