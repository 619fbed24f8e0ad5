"""The largest configuration that passes is found in few trials; trying is a function."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.model.vocabulary import App, Host, HostGroup, Topology
from drove_gateway.proxies.installation.blame import BlameResult
from drove_gateway.proxies.installation.culprits import find_culprits
from drove_gateway.proxies.installation.suspects import Refusal

CONFIG = "/etc/proxy.conf"


def app(vhost: str, *hosts: str, lb: str = "", **groups: str) -> App:
    listed = tuple(Host(host, 80, "http") for host in (*hosts, *groups.values()))
    grouped = {name: HostGroup((Host(host, 80, "http"),), {}) for name, host in groups.items()}
    if hosts:
        grouped[vhost] = HostGroup(listed[: len(hosts)], {})
    return App(vhost, vhost, listed, {"lb": lb} if lb else {}, grouped, "")


def topology(*apps: App) -> Topology:
    return Topology({each.vhost: each for each in apps}, {})


def text_of(tried: Topology) -> str:
    lines = []
    for vhost, each in tried.apps.items():
        lines.append(f"upstream {vhost} {{")
        lines += [f"  balance {each.tags['lb']};"] if "lb" in each.tags else []
        lines += [f"  group {name};" for name in each.groups if name != vhost]
        lines += [f"  server {host.host}:80;" for host in each.hosts]
    return "\n".join(lines)


class Proxy:
    """Refuses hosts, tags and groups that contain `bad`; like NGINX it names the first fault."""

    def __init__(self, *, silent: bool = False) -> None:
        self.trials = 0
        self.silent = silent

    async def __call__(self, tried: Topology) -> Refusal | None:
        self.trials += 1
        text = text_of(tried)
        for number, line in enumerate(text.splitlines(), 1):
            match = re.match(r"  (\w+) (bad[^;]*);", line)
            if match:
                what = "host not found" if match[1] == "server" else f"invalid {match[1]}"
                printed = "" if self.silent else f'{what} "{match[2]}" in {CONFIG}:{number}'
                return Refusal(printed or "refused", printed, text, CONFIG)
        return None


async def found(good: Topology | None, new: Topology, proxy: Proxy | None = None) -> BlameResult:
    proxy = proxy or Proxy()
    refusal = await proxy(new)
    assert refusal is not None
    result = await find_culprits(good, new, refusal, proxy)
    assert result is not None
    assert await proxy(result.topology) is None
    return result


async def test_only_the_host_that_cannot_be_found_is_left_out() -> None:
    before = topology(app("a", "10.0.0.1", "bad-1", "10.0.0.3"), app("b", "10.0.0.2"))
    new = topology(before.apps["a"], app("b", "10.0.0.9"))

    result = await found(before, new)

    assert result.topology == topology(app("a", "10.0.0.1", "10.0.0.3"), new.apps["b"])
    assert result.dropped == ()


async def test_only_the_group_that_is_refused_is_left_out() -> None:
    result = await found(None, topology(app("a", "10.0.0.1", badgroup="10.0.0.2", blue="10.0.0.3")))

    assert sorted(result.topology.apps["a"].groups) == ["a", "blue"]
    assert [host.host for host in result.topology.apps["a"].hosts] == ["10.0.0.1", "10.0.0.3"]


async def test_new_hosts_are_served_with_the_last_good_tags() -> None:
    good, new = topology(app("a", "10.0.0.1", lb="good")), topology(app("a", "10.0.0.2", lb="bad"))

    result = await found(good, new)

    assert result.topology == topology(app("a", "10.0.0.2", lb="good"))


async def test_a_new_vhost_is_never_served_without_a_tag_that_it_has() -> None:
    """The tag may protect it."""
    result = await found(None, topology(app("a", "10.0.0.1"), app("b", "10.0.0.2", lb="bad")))

    assert result.topology == topology(app("a", "10.0.0.1"))


@pytest.mark.parametrize("faults", [1, 40, 150])
async def test_many_faults_of_one_tenant_leave_no_innocent_behind(faults: int) -> None:
    good = topology(*(app(f"good{number}", "10.0.0.1") for number in range(300)))
    bad = {
        f"tenant{number}": app(f"tenant{number}", "1.1.1.1", lb="bad") for number in range(faults)
    }
    changed = {name: app(name, "10.0.0.2") for name in good.apps}

    result = await found(good, Topology({**bad, **changed}, {}))

    assert dict(result.topology.apps) == changed
    assert sorted(str(part) for part in result.blamed) == sorted(bad)


async def test_a_vhost_of_many_unknown_names_costs_few_trials() -> None:
    names = [f"bad-{letter}{other}" for letter in "abcdefgh" for other in "abcdefgh"]
    proxy = Proxy()

    result = await found(None, topology(app("a", *names, "10.0.0.1"), app("b", "10.0.0.2")), proxy)

    assert result.topology == topology(app("a", "10.0.0.1"), app("b", "10.0.0.2"))
    assert proxy.trials < 10


async def test_a_proxy_that_prints_nothing_is_searched_by_bisection() -> None:
    good = topology(*(app(f"v{number}", "10.0.0.1") for number in range(64)))
    new = topology(*good.apps.values(), app("x", "bad-1", "10.0.0.5"))
    proxy = Proxy(silent=True)

    result = await found(good, new, proxy)

    assert result.topology == topology(*good.apps.values(), app("x", "10.0.0.5"))
    assert proxy.trials < 16


async def test_what_a_message_names_by_chance_is_put_back() -> None:
    async def trial(tried: Topology) -> Refusal | None:
        refused = any("lb" in each.tags for each in tried.apps.values())
        return Refusal("x", "the server is wrong", "", CONFIG) if refused else None

    new = topology(app("server", "10.0.0.1"), app("culprit", "10.0.0.2", lb="x"))
    result = await find_culprits(None, new, Refusal("x", "the server is wrong"), trial)

    assert result is not None
    assert result.topology == topology(app("server", "10.0.0.1"))


async def test_where_nothing_passes_no_part_is_to_blame() -> None:
    async def trial(tried: Topology) -> Refusal | None:
        return Refusal("no certificate", f"no certificate {len(tried.apps)}")

    new = topology(app("a", "10.0.0.1"))
    assert await find_culprits(None, new, Refusal("no certificate"), trial) is None


HOSTS = st.sampled_from(["10.0.0.1", "10.0.0.2", "bad-x", "bad-y", "fine"])
APPS = st.builds(
    lambda name, hosts, lb: app(name, *hosts, lb=lb),
    st.sampled_from(["a", "b", "c", "d"]),
    st.lists(HOSTS, min_size=1, max_size=4, unique=True),
    st.sampled_from(["", "", "good", "bad"]),
)
TOPOLOGIES = st.lists(APPS, max_size=4, unique_by=lambda each: each.vhost).map(
    lambda apps: topology(*apps)
)


def _is_fine(each: App) -> bool:
    return each.tags.get("lb") != "bad" and not any(h.host.startswith("bad") for h in each.hosts)


@given(good=st.none() | TOPOLOGIES, new=TOPOLOGIES, silent=st.booleans())
async def test_what_is_fine_is_served_as_desired(
    good: Topology | None, new: Topology, silent: bool
) -> None:
    proxy = Proxy(silent=silent)
    refusal = await proxy(new)
    if refusal is None:
        return
    result = await find_culprits(good, new, refusal, proxy)
    assert result is not None
    assert await proxy(result.topology) is None
    for vhost, each in new.apps.items():
        if _is_fine(each):
            assert result.topology.apps[vhost] == each


@given(good=TOPOLOGIES, new=TOPOLOGIES)
async def test_what_serves_and_has_valid_hosts_is_never_withdrawn(
    good: Topology, new: Topology
) -> None:
    proxy = Proxy()
    refusal = await proxy(new)
    if refusal is None:
        return
    result = await find_culprits(good, new, refusal, proxy)
    assert result is not None
    for vhost, each in new.apps.items():
        before = good.apps.get(vhost)
        valid = [host for host in each.hosts if not host.host.startswith("bad")]
        if before and valid and _is_fine(before):
            assert vhost in result.topology.apps
