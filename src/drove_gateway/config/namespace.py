"""The keys of a `[[namespaces]]` table. One declaration each: name, type, default, help."""

from pydantic import Field, SecretStr

from drove_gateway.config.fields import ControllerUrls, Name, Seconds, Section


class NamespaceKeys(Section):
    """One Drove cluster: its controllers, and which of its apps are served."""

    name: Name = Field(
        examples=["stage1"],
        description="Name of the namespace in logs, metrics, health and templates "
        "(`.Namespaces.NAME`). Each must be different.",
    )
    drove: ControllerUrls = Field(
        examples=[["http://controller1:10000", "http://controller2:10000"]],
        description="URLs of all controllers of the cluster, the preferred ones first. The "
        "leader among them is found and followed. Without a port the scheme's is used.",
    )
    user: str = Field(
        default="",
        description="User for basic auth against Drove; one that may only read is enough. Empty "
        "means none.",
    )
    # The key is `pass`, which Python keeps for itself.
    password: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="pass",
        serialization_alias="pass",
        description="Password that belongs to `user`.",
    )
    access_token: SecretStr = Field(
        default=SecretStr(""),
        examples=["O-Bearer TOKEN"],
        description="Sent as the whole `Authorization` header, so the scheme is part of it. Set "
        "either this or `user`.",
    )
    realm: str = Field(
        default="",
        examples=["api.example.com, web.example.com"],
        description="Vhosts to serve, separated by commas; every other one is left out. Empty, "
        "and `realm_suffix` too, means all.",
    )
    realm_suffix: str = Field(
        default="",
        examples=[".stg.example.com"],
        description="Serves the vhosts that end like this, besides those of `realm`.",
    )
    routing_tag: str = Field(
        default="",
        description="Name of a Drove tag whose value divides the hosts of a vhost into groups, "
        "for routing by header. Empty means one group for each vhost.",
    )
    leader_vhost: str = Field(
        default="",
        examples=["drove.example.com"],
        description="Vhost under which the leading controller's UI and API are served. Empty "
        "means none.",
    )


class NamespaceBeyond(Section):
    """How the controllers' certificates are verified."""

    tls_ca_file: str = Field(
        default="",
        description="Path of the CA certificates (PEM) that https controllers are verified with. "
        "Empty means the system's.",
    )
    tls_skip_verify: bool = Field(
        default=False,
        description="Does not verify the controllers' certificates, as the original never did. "
        "Anyone between can then read the password and decide where traffic goes.",
    )
    event_refresh_interval_sec: Seconds | None = Field(
        default=None,
        description="No effect. Shipped examples of the original have it here; the one at top "
        "level counts.",
    )


class NamespaceSettings(NamespaceBeyond, NamespaceKeys):
    """A `[[namespaces]]` table."""
