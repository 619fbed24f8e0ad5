"""Which vhosts of a rendered text the default server may serve at once."""

from collections.abc import Collection, Mapping

from drove_gateway.proxies.nginx.lua.vhost_blocks import read_vhosts, without_runtime
from drove_gateway.proxies.runtime.backends import BackendChanges, Observed, Situation
from drove_gateway.proxies.runtime.servers import Action, Change


class VhostsAtRuntime:
    """Compares texts for the Lua balancer; a `ReadsBackends`.

    The servers of upstreams are not its business: the engine brings them, and removes upstreams.
    """

    def first_line(self, before: str, after: str) -> str:
        """Name the first line of `after` that is not in the same place of `before`."""
        lines, old = without_runtime(after).splitlines(), without_runtime(before).splitlines()
        for number, line in enumerate(lines):
            if number >= len(old) or old[number] != line:
                return f'the configuration has another line, "{line.strip()}"'
        return "the configuration has fewer lines" if len(old) > len(lines) else ""

    def own_backends(self, text: str) -> Mapping[str, object]:  # noqa: ARG002
        return {}

    def backend_names(self, text: str) -> Collection[str]:  # noqa: ARG002
        """Upstreams that others added are not looked for."""
        return ()

    def servers(self, text: str, backend: str) -> None:
        """Servers are as the gateway's blocks have them."""

    def unlike(
        self,
        text: str,  # noqa: ARG002
        unwritten: Collection[tuple[str, str]],  # noqa: ARG002
    ) -> tuple[str, set[tuple[str, str]]]:
        return "", set()

    def host_names(self, text: str, observed: Observed) -> set[str]:  # noqa: ARG002
        return set()

    def changes(self, before: str, after: str, there: Situation) -> BackendChanges:  # noqa: ARG002
        """Return what lets the default server serve the vhosts that only `after` has."""
        had, has = read_vhosts(before).vhosts, read_vhosts(after).vhosts
        reason = "the default server serves it until a reload"
        new = sorted(has.keys() - had.keys())
        return BackendChanges(
            tuple(Change(Action.PUBLISH, vhost, "", reason) for vhost in new), backends=has.keys()
        )
