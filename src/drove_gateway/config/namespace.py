"""The keys of a `[[namespaces]]` table, each declared once: name, type, default, help."""

from pydantic import Field, SecretStr

from drove_gateway.config.fields import ControllerUrls, Name, Seconds, Section


class NamespaceKeys(Section):
    """One Drove cluster: its controllers, and which of its apps are served."""

    name: Name = Field(
        examples=["stage1"],
        description="Name of the namespace in logs, metrics, health and templates "
        "(`.Namespaces.NAME`). It must be unique.",
    )
    drove: ControllerUrls = Field(
        examples=[["http://controller1:10000", "http://controller2:10000"]],
        description="URLs of all controllers of the cluster, the preferred controllers first. The "
        "gateway finds the leader among them and follows it. Without a port, the scheme's default "
        "port is used.",
    )
    user: str = Field(
        default="",
        description="User for basic auth against Drove; read access is enough. Empty means none.",
    )
    # The key is `pass`, which is a keyword in Python.
    password: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="pass",
        serialization_alias="pass",
        description="Password of `user`.",
    )
    access_token: SecretStr = Field(
        default=SecretStr(""),
        examples=["O-Bearer TOKEN"],
        description="The complete `Authorization` header, including the scheme. Set either this or "
        "`user`.",
    )
    realm: str = Field(
        default="",
        examples=["api.example.com, web.example.com"],
        description="Vhosts to serve, separated by commas; all others are ignored. If `realm` and "
        "`realm_suffix` are empty, all vhosts are served.",
    )
    realm_suffix: str = Field(
        default="",
        examples=[".stg.example.com"],
        description="Also serves the vhosts with this suffix, in addition to those of `realm`.",
    )
    routing_tag: str = Field(
        default="",
        description="Name of a Drove tag whose value divides the hosts of a vhost into groups, for "
        "routing by header. Empty means a single group for each vhost.",
    )
    leader_vhost: str = Field(
        default="",
        examples=["drove.example.com"],
        description="Vhost under which the leading controller's UI and API are served. Empty means "
        "none.",
    )


class NamespaceBeyond(Section):
    """How the controllers' certificates are verified."""

    tls_ca_file: str = Field(
        default="",
        description="Path of the CA certificates (PEM) that verify https controllers. Empty means "
        "the system's.",
    )
    tls_skip_verify: bool = Field(
        default=False,
        description="Does not verify the controllers' certificates, as the original never did. An "
        "attacker on the network can then read the password and decide where traffic goes.",
    )
    event_refresh_interval_sec: Seconds | None = Field(
        default=None,
        description="No effect. Shipped examples of the original have it here; the key at top "
        "level is used.",
    )


class NamespaceSettings(NamespaceBeyond, NamespaceKeys):
    """A `[[namespaces]]` table."""
