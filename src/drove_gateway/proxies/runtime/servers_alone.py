"""Where a configuration lists the servers, and the runtime API changes servers only."""


class ServersAlone:
    """Brings a proxy to a configuration that differs in servers only; an `AtRuntime`.

    The servers themselves are changed by the engine, before and after.
    """

    def first_line(self, before: str, after: str) -> str:  # noqa: ARG002
        return ""

    async def bring(self, before: str, after: str) -> str:  # noqa: ARG002
        return ""
