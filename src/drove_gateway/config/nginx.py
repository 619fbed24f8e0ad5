"""The keys of NGINX, OpenResty and NGINX Plus. One declaration each: name, type, default, help."""

from pydantic import Field, SecretStr

from drove_gateway.config.fields import NginxPlusAddress, NginxTime, Section


class Nginx(Section):
    """NGINX, OpenResty and NGINX Plus; used with `proxy_platform = "nginx"`."""

    nginx_config: str = Field(
        default="./nginx-test.conf",
        description="Path of the configuration file that is written. Its directory must be "
        "writable, a temporary file stands beside it while it is checked.",
    )
    nginx_template: str = Field(
        default="./nginx-header.tmpl",
        description="Path of the template. It is read again when it changes; "
        "`drove-gateway template nginx` prints one to start from.",
    )
    nginx_cmd: str = Field(
        default="nginx",
        description="Command that checks (`-c FILE -t`) and reloads (`-s reload`). Split on "
        'blanks, never given to a shell: "openresty", "docker exec nginx nginx".',
    )
    nginx_ignore_check: bool = Field(
        default=False,
        description="Skips `nginx -t`. Health then always says OK for it. Only where the command "
        "cannot see the file, since a broken file then reaches the reload.",
    )
    nginx_reload_disabled: bool = Field(
        default=False,
        description="Neither renders nor reloads; NGINX Plus's API alone is used. Needs "
        "`nginxplusapiaddr` and a configuration that has every vhost's upstream already.",
    )
    nginxplusapiaddr: NginxPlusAddress = Field(
        default="",
        description="Where NGINX Plus's API is, HOST:PORT or a URL with http:// or https://. "
        "Endpoint changes then go through it without a reload. Empty means NGINX without it.",
    )
    nginx_max_fails: int = Field(
        default=0,
        ge=0,
        description="`max_fails` of every server that is added over NGINX Plus's API, and "
        "`.NginxMaxFailsUpstream` in templates. 0 never takes a server out.",
    )
    nginx_fail_timeout: NginxTime = Field(
        default="1s",
        description="`fail_timeout` of those servers, and `.NginxFailTimeoutUpstream` in "
        "templates: digits and `s`. Anything else becomes `0s`, with an error in the log.",
    )
    nginx_slow_start: NginxTime = Field(
        default="0s",
        description="`slow_start` of those servers, and `.NginxSlowStartUpstream` in templates: "
        "digits and `s`. Anything else becomes `0s`, with an error in the log.",
    )

    @property
    def nginx_argv(self) -> tuple[str, ...]:
        """`nginx_cmd` as a program and its arguments."""
        return tuple(self.nginx_cmd.split())


class NginxBeyond(Section):
    """Access to NGINX Plus's API."""

    nginxplusapi_user: str = Field(
        default="", description="User for NGINX Plus's API (basic auth). Empty means none."
    )
    nginxplusapi_pass: SecretStr = Field(
        default=SecretStr(""), description="Password that belongs to `nginxplusapi_user`."
    )
    nginxplusapi_ca_file: str = Field(
        default="",
        description="Path of the CA certificates (PEM) that an https `nginxplusapiaddr` is "
        "verified with. Empty means the system's.",
    )
    nginxplusapi_skip_verify: bool = Field(
        default=False,
        description="Does not verify that certificate. Anyone between can then read the password "
        "and change the upstreams.",
    )
