"""The keys of NGINX, OpenResty and NGINX Plus, each declared once: name, type, default, help."""

from pydantic import Field, SecretStr

from drove_gateway.config.fields import NginxPlusAddress, NginxTime, Section


class Nginx(Section):
    """NGINX, OpenResty and NGINX Plus; used with `proxy_platform = "nginx"`."""

    nginx_config: str = Field(
        default="./nginx-test.conf",
        description="Path of the configuration file that the gateway writes. Its directory must be "
        "writable for the temporary file of the check.",
    )
    nginx_template: str = Field(
        default="./nginx-header.tmpl",
        description="Path of the template. The gateway reads it again when it changes; "
        "`drove-gateway template nginx` prints a template to start from.",
    )
    nginx_cmd: str = Field(
        default="nginx",
        description="Command that checks (`-c FILE -t`) and reloads (`-c nginx_config -s reload`). "
        'It is split on blanks, without a shell: "openresty", "docker exec nginx nginx".',
    )
    nginx_ignore_check: bool = Field(
        default=False,
        description="Skips `nginx -t`; health then always reports OK for it. Use it only if the "
        "command cannot see the file, because a broken file then reaches the reload.",
    )
    nginx_reload_disabled: bool = Field(
        default=False,
        description="Never renders or reloads; only the NGINX Plus API is used. Requires "
        "`nginxplusapiaddr` and a configuration that already has every vhost's upstream.",
    )
    nginxplusapiaddr: NginxPlusAddress = Field(
        default="",
        description="Address of the NGINX Plus API or of the Lua balancer: HOST:PORT, a URL with "
        "http:// or https://, or unix:/PATH. Endpoint changes then go through it without a reload. "
        "Empty means NGINX without this API.",
    )
    nginx_max_fails: int = Field(
        default=0,
        description="`max_fails` of every server that is added through the NGINX Plus API, and "
        "`.NginxMaxFailsUpstream` in templates. 0 never takes a server out.",
    )
    nginx_fail_timeout: NginxTime = Field(
        default="1s",
        description="`fail_timeout` of these servers, and `.NginxFailTimeoutUpstream` in "
        "templates: digits and `s`. Any other value becomes `0s`, with an error in the log.",
    )
    nginx_slow_start: NginxTime = Field(
        default="0s",
        description="`slow_start` of these servers, and `.NginxSlowStartUpstream` in templates: "
        "digits and `s`. Any other value becomes `0s`, with an error in the log.",
    )

    @property
    def nginx_argv(self) -> tuple[str, ...]:
        """`nginx_cmd` as a program and its arguments."""
        return tuple(self.nginx_cmd.split())


class NginxBeyond(Section):
    """Access to the NGINX Plus API."""

    nginxplusapi_user: str = Field(
        default="", description="User for the NGINX Plus API (basic auth). Empty means none."
    )
    nginxplusapi_pass: SecretStr = Field(
        default=SecretStr(""), description="Password of `nginxplusapi_user`."
    )
    nginxplusapi_ca_file: str = Field(
        default="",
        description="Path of the CA certificates (PEM) that verify an https `nginxplusapiaddr`. "
        "Empty means the system's.",
    )
    nginxplusapi_skip_verify: bool = Field(
        default=False,
        description="Does not verify that certificate. An attacker on the network can then read "
        "the password and change the upstreams.",
    )
