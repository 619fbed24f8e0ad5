"""What runs on the simulated cluster: application versions, their instances, the executors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

AppState: TypeAlias = Literal[
    "INIT",
    "MONITORING",
    "RUNNING",
    "OUTAGE_DETECTED",
    "SCALING_REQUESTED",
    "STOP_INSTANCES_REQUESTED",
    "REPLACE_INSTANCES_REQUESTED",
    "DESTROY_REQUESTED",
    "DESTROYED",
]
InstanceState: TypeAlias = Literal[
    "PENDING",
    "PROVISIONING",
    "STARTING",
    "UNREADY",
    "READY",
    "HEALTHY",
    "UNHEALTHY",
    "STOPPING",
    "DEPROVISIONING",
    "STOPPED",
    "LOST",
]

STATES_WITHOUT_PORTS: frozenset[InstanceState] = frozenset({"PENDING", "PROVISIONING", "STARTING"})
"""The executor assigns a host port when the container starts; events before that have none."""

TO_STARTING: tuple[InstanceState, ...] = ("PENDING", "PROVISIONING", "STARTING")
TO_HEALTHY: tuple[InstanceState, ...] = ("UNREADY", "READY", "HEALTHY")
TO_STOPPED: tuple[InstanceState, ...] = ("DEPROVISIONING", "STOPPED")

LISTED_STATES: frozenset[AppState] = frozenset(
    {
        "RUNNING",
        "OUTAGE_DETECTED",
        "SCALING_REQUESTED",
        "STOP_INSTANCES_REQUESTED",
        "REPLACE_INSTANCES_REQUESTED",
        "DESTROY_REQUESTED",
    }
)
CONTAINER_PORT = 8000
CORES_PER_INSTANCE = 1
MEMORY_PER_INSTANCE_MB = 128


@dataclass(slots=True, eq=False)
class Executor:
    """A machine that runs instances. `hostname` is the host in `/endpoints`, often an address.

    `dead` means that it has died and the cluster has not noticed yet.
    """

    executor_id: str
    hostname: str
    port: int
    cores: int = 64
    memory_mb: int = 262_144
    updated: int = 0
    dead: bool = False


@dataclass(slots=True, eq=False)
class Instance:
    """A container. `stale` means that its reports are too old, so that it is not listed."""

    instance_id: str
    app_id: str
    executor: Executor
    port: int
    created: int
    updated: int
    state: InstanceState = "PENDING"
    error: str = ""
    stale: bool = False

    @property
    def listed(self) -> bool:
        """Whether `/endpoints` lists it."""
        return self.state == "HEALTHY" and not self.stale


@dataclass(slots=True, eq=False)
class AppVersion:
    """A version of an application: its specification and its present state.

    Times are in seconds, except `created` and `updated`, which are epoch milliseconds.
    `graceful` instances finish their requests when they are stopped; others are killed.
    `revision` counts changes of what `/endpoints` lists.
    """

    name: str
    version: str
    vhost: str
    tags: Mapping[str, str] | None
    port_type: str
    real: bool
    wait_before_kill: float
    healthy_after: float
    graceful: bool = True
    created: int = 0
    updated: int = 0
    required: int = 0
    state: AppState = "INIT"
    instances: dict[str, Instance] = field(default_factory=dict)
    old: list[Instance] = field(default_factory=list)
    revision: int = 0

    @property
    def app_id(self) -> str:
        """The id that Drove derives from name and version."""
        return f"{self.name}-{self.version}"

    @property
    def listed(self) -> bool:
        """Whether `/endpoints` lists it, possibly without hosts."""
        return self.state in LISTED_STATES

    def hosts(self) -> list[Instance]:
        """Return the instances that `/endpoints` lists, by creation time."""
        return [instance for instance in self.instances.values() if instance.listed]

    def healthy(self) -> list[Instance]:
        """Return the instances that the cluster considers healthy."""
        return [each for each in self.instances.values() if each.state == "HEALTHY"]
