"""What a simulated cluster looks like when it starts."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

REAL_EXECUTORS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
ADDRESS_EXECUTORS = tuple(f"10.0.0.{number}" for number in range(1, 11))


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Sizes, ports, access and pace. All times are in seconds.

    port
        The first controller's; the others follow. 0: any free ports.
    control_port
        The control API's. 0: any free port. None: no control API.
    apps, instances
        How many apps run at the start, named app1, app2, …, and the instances of each.
    vhost
        The vhost of an app that is deployed without one; `{name}` is the app's name.
    real
        Instances are HTTP servers. Otherwise they are addresses only.
    executors
        Host names or addresses; real instances listen there. Empty: three addresses of this
        machine for real instances, else ten of 10.0.0.0/24.
    tags, port_type, wait_before_kill
        Of apps that are deployed without their own. Drove's default is to kill at once.
    healthy_after
        How long an instance takes to become healthy.
    graceful
        Stopped instances finish their requests. Otherwise they are killed: requests fail.
    election
        How long nobody leads after the leader was stopped.
    recovering
        How long a new leader does not know the whole cluster: for a third of the time it lists
        nothing, then whole apps one after the other. Real leaders take `REAL_SECONDS`.
    app_filter
        `/v1/endpoints?app=NAME` returns only that app. Old controllers ignore it and return all.
    clock_skews
        By how much the clock of each controller is ahead; 0 for controllers without a value.
    idle_timeout
        When controllers close idle connections.
    user, password, token
        Required by the controllers when set; either is accepted when both are.
    tls
        Controllers speak HTTPS with this context.
    """

    host: str = "127.0.0.1"
    port: int = 0
    control_port: int | None = 0
    controllers: int = 3
    apps: int = 0
    instances: int = 2
    vhost: str = "{name}.local"
    real: bool = True
    executors: tuple[str, ...] = ()
    tags: Mapping[str, str] | None = None
    port_type: str = "HTTP"
    wait_before_kill: float = 0.0
    healthy_after: float = 0.0
    graceful: bool = True
    election: float = 0.0
    recovering: float = 0.0
    app_filter: bool = True
    clock_skews: tuple[float, ...] = ()
    idle_timeout: float = 30.0
    user: str | None = None
    password: str = field(default="", repr=False)
    token: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None

    @property
    def executor_hosts(self) -> tuple[str, ...]:
        """The executors, with the default filled in."""
        return self.executors or (REAL_EXECUTORS if self.real else ADDRESS_EXECUTORS)

    @property
    def skews_ms(self) -> list[int]:
        """Every controller's skew in milliseconds."""
        given = [round(skew * 1000) for skew in self.clock_skews]
        return (given + [0] * self.controllers)[: self.controllers]
