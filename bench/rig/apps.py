"""Apps with addresses of their own, as the benchmarks of drivers change them."""

from collections.abc import Iterable

from drove_gateway.model.vocabulary import App, Host, HostGroup


def vhost(number: int) -> str:
    return f"app{number:04}.example.com"


def hosts(number: int, servers: Iterable[int]) -> tuple[Host, ...]:
    """Instances of the app `number`; every number of `servers` is another instance."""
    return tuple(
        Host(f"10.{number >> 8}.{number & 255}.{server}", 31000 + server, "http")
        for server in servers
    )


def app(number: int, servers: Iterable[int]) -> App:
    """The app `number` with these instances."""
    name, all_hosts = vhost(number), hosts(number, servers)
    return App(name, name, all_hosts, {}, {name: HostGroup(all_hosts, {})}, "")
