"""Kinds of proxy with a configuration file on this machine, and perhaps a runtime API.

What differs between these kinds are values: the file, the rules, the names of backends, and how
the runtime API is reached.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from drove_gateway.model.errors import ProxyError
from drove_gateway.model.proxy import Proxy
from drove_gateway.model.vocabulary import EMPTY, App, Topology
from drove_gateway.model.workers import Workers
from drove_gateway.proxies.certificates.follower import (
    CarriesCertificates,
    Certificates,
    FollowsCertificates,
)
from drove_gateway.proxies.certificates.sni import PresentedNames, names_of_certificate
from drove_gateway.proxies.foreign_changes import ForeignChanges
from drove_gateway.proxies.installation import config_file
from drove_gateway.proxies.installation.before import without_generation
from drove_gateway.proxies.installation.configured_file import ConfiguredFile
from drove_gateway.proxies.installation.last_addresses import LastAddresses
from drove_gateway.proxies.installation.preview import Observation, Preview, preview
from drove_gateway.proxies.installation.reloading import ReloadingProxy
from drove_gateway.proxies.installation.render import Rendered
from drove_gateway.proxies.installation.served import ReadServed
from drove_gateway.proxies.installation.template_data import template_variables
from drove_gateway.proxies.outside import Outside
from drove_gateway.proxies.ownership import own, own_api
from drove_gateway.proxies.runtime.adapter import Adapter
from drove_gateway.proxies.runtime.added_backends import NAME as ADDED_BACKENDS
from drove_gateway.proxies.runtime.added_backends import AddedBackends
from drove_gateway.proxies.runtime.preview import preview_servers
from drove_gateway.proxies.runtime.proxy import RuntimeProxy
from drove_gateway.proxies.runtime.resolver import FRESH_SECONDS, Resolver
from drove_gateway.proxies.runtime.rules import RuntimeRules
from drove_gateway.proxies.runtime.served import SplitName, served_by_api, whole_name
from drove_gateway.proxies.runtime.structure import structural_changes
from drove_gateway.topology.names import Naming
from drove_gateway.topology.topology_diff import reasons, topology_diff

Connect = Callable[[Outside, AsyncExitStack], Adapter]


class FileKind(msgspec.Struct, frozen=True):
    """A kind with a configuration file; a `ProxyKind`.

    `connect` returns the adapter of the runtime API and pushes to the stack what has to be closed;
    it is None where no runtime API is configured. `count_workers` looks at the proxy's processes.
    `read_served` reads what a configuration serves from its text, `split_name` says what a
    backend's name is made of. `naming` is None where the names in the configuration cannot
    coincide.
    `describe` says of a rendered text what changes at runtime and what needs a reload.
    With `one_protocol` the configuration says whether a vhost's servers use TLS. `carry` returns
    what brings certificates over a runtime API; `presented` says for which names a file's
    certificate is presented.
    """

    name: str
    identity: str
    file: ConfiguredFile
    rules: RuntimeRules
    backends: Callable[[App], Iterable[str]]
    connect: Connect | None
    count_workers: Callable[[], Awaitable[Workers | None]]
    read_served: ReadServed
    split_name: SplitName = whole_name
    naming: Naming | None = None
    one_protocol: bool = False
    describe: Callable[[str], tuple[str, ...]] = lambda _: ()
    carry: Callable[[Outside], CarriesCertificates] | None = None
    apis: tuple[str, ...] = ()
    presented: PresentedNames = names_of_certificate

    @property
    def watched_files(self) -> tuple[Path, ...]:
        return (self.file.template_path,) if self.file.settings.template_watch else ()

    def structural_changes(self, old: Topology, new: Topology) -> tuple[str, ...]:
        if self.connect is None:
            return reasons(topology_diff(old, new))
        return structural_changes(
            old,
            new,
            lambda app: dict.fromkeys(self.backends(app)),
            one_protocol=self.one_protocol,
        )

    async def workers(self) -> Workers | None:
        return await self.count_workers()

    async def served(self, outside: Outside) -> Topology:
        by_file = EMPTY
        if self.file.installed:
            by_file = await self.file.served(self.read_served, outside)
        if self.connect is None:
            return by_file
        namespaces = self.file.settings.namespaces
        tags = {each.routing_tag for each in namespaces if each.routing_tag}
        async with AsyncExitStack() as stack:
            by_api = await served_by_api(
                self.connect(outside, stack),
                self.split_name,
                owned=self.rules.owned,
                fixed={each.leader_vhost.lower() for each in namespaces},
                routing_tag=tags.pop() if len(tags) == 1 else "",
            )
        return Topology(apps={**by_api.apps, **by_file.apps}, namespaces={})

    async def driver(
        self, outside: Outside, stack: AsyncExitStack, remembered: Topology | None = None
    ) -> Proxy:
        if self.file.installed:
            await own(self.file.platform.config.resolve(), outside.host_name, stack, outside.log)
        for api in self.apis:
            await own_api(api, stack)
        template = await self.file.template(outside.environ, outside.template_release)
        await asyncio.to_thread(template.recall)
        installation = self.file.installation(template, outside, remembered)
        if self.connect is None:
            return ReloadingProxy(
                installation,
                LastAddresses(self._resolver(outside)),
                audit_interval=self.rules.audit_interval,
                certificates=self._certificates(outside),
                foreign=ForeignChanges(
                    self.name,
                    audit_interval=self.rules.audit_interval,
                    clock=outside.clock,
                    log=outside.log,
                ),
            )
        return RuntimeProxy(
            self.connect(outside, stack),
            self.rules,
            self._resolver(outside),
            installation,
            clock=outside.clock,
            log=outside.log,
            count_workers=self.count_workers,
            certificates=self._certificates(outside),
            added=await self._added_backends(),
        )

    async def _added_backends(self) -> AddedBackends:
        settings = self.file.settings
        enabled = self.file.installed and settings.state_persistence_enabled
        directory = Path(settings.state_persistence_dir)
        added = AddedBackends(directory / ADDED_BACKENDS if enabled else None)
        await asyncio.to_thread(added.recall)
        return added

    def _certificates(self, outside: Outside) -> FollowsCertificates | None:
        table = self.file.settings.template
        variables = template_variables(table, outside.environ)
        if not (directory := variables.get("TLS_CERTIFICATES")):
            return None
        default = variables.get("TLS_DEFAULT_CERTIFICATE") or f"{directory}/default.pem"
        return Certificates(
            Path(directory),
            None if self.carry is None else self.carry(outside),
            default=Path(default),
            presented=self.presented,
            clock=time.time,
            log=outside.log,
        )

    async def preview(
        self,
        desired: Topology,
        applied: Topology | None,
        rendered: Rendered | None,
        outside: Outside,
    ) -> Preview:
        servers = Observation()
        if self.connect is not None:
            texts = await self._texts(rendered)
            async with AsyncExitStack() as stack:
                servers = await preview_servers(
                    self.connect(outside, stack),
                    self.rules,
                    self._resolver(outside),
                    desired,
                    reloads=self.file.installed,
                    clock=outside.clock,
                    texts=texts,
                )
        structural = self.structural_changes(applied, desired) if applied else ()
        platform = self.file.platform if self.file.installed else None
        found = await preview(desired, servers, structural, platform, rendered, outside.ask)
        notes = self.describe(rendered.text) if rendered is not None else ()
        return msgspec.structs.replace(found, notes=(*found.notes, *notes))

    async def _texts(self, rendered: Rendered | None) -> tuple[str, str] | None:
        """The text of the file and the rendered text, without their generations."""
        if rendered is None or not self.file.installed:
            return None
        try:
            before = await asyncio.to_thread(config_file.read, self.file.platform.config)
        except ProxyError:
            return None
        return without_generation(before or ""), without_generation(rendered.text)

    def _resolver(self, outside: Outside) -> Resolver:
        limit = self.file.settings.dns_resolution_timeout_sec
        return Resolver(outside.lookup, timeout=limit, ttl=FRESH_SECONDS, clock=outside.clock)
