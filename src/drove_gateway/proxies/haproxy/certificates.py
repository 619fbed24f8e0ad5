"""Certificates of a directory that HAProxy has loaded by `crt DIRECTORY`, over its runtime API.

HAProxy keeps such a directory as a list of its files. What a file holds is compared by its
fingerprint, so a restart of either side needs nothing special.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from drove_gateway.proxies.certificates.directory import CertificateFiles
from drove_gateway.proxies.certificates.pem import Certificate
from drove_gateway.proxies.haproxy.api import certificate_commands as commands
from drove_gateway.proxies.haproxy.api import runtime_commands
from drove_gateway.proxies.haproxy.api import server_state as state
from drove_gateway.proxies.haproxy.api.client import Reply, RuntimeApi
from drove_gateway.proxies.haproxy.api.replies import Verdict
from drove_gateway.proxies.haproxy.api.runtime_commands import Command

# The process, and what was brought to it.
_Done: TypeAlias = tuple[int, Mapping[str, Certificate], frozenset[str]]

_NO_SUCH_LIST = "HAProxy has not loaded this directory, so its certificates do not serve"

# What HAProxy refused is tried again after so many looks: it may have had to end another change.
_LOOKS_BETWEEN_TRIES = 30

_NO_NAME = "its name has characters that HAProxy's runtime API cannot take"


class HaproxyCertificates:
    """Brings certificates to HAProxy; a `CarriesCertificates`."""

    def __init__(self, api: RuntimeApi) -> None:
        self._api = api
        self._done: _Done | None = None
        self._refused: Mapping[str, str] = {}
        self._looks = 0

    async def bring(self, directory: Path, files: CertificateFiles) -> Mapping[str, str]:
        process = state.process(await self._api.ask(runtime_commands.SHOW_INFO))
        now = process.pid, files.certificates, files.names
        self._looks += 1
        is_final = all(problem == _NO_NAME for problem in self._refused.values())
        waits = is_final or self._looks < _LOOKS_BETWEEN_TRIES
        if now == self._done and waits:
            return self._refused
        self._looks = 0
        (listed,) = await self._api.run([commands.show_list(str(directory))])
        if listed.verdict is not Verdict.DONE:
            return dict.fromkeys(files.certificates, _NO_SUCH_LIST)
        names = set(commands.listed(listed.text))
        usable = {n: each for n, each in files.certificates.items() if commands.can_name(n)}
        refused = dict.fromkeys(files.certificates.keys() - usable.keys(), _NO_NAME)
        refused |= await self._replace(usable, names)
        refused |= await self._add(str(directory), usable, names)
        await self._delete(str(directory), _gone(directory, names, files))
        self._done, self._refused = now, refused
        return refused

    async def _replace(
        self, certificates: Mapping[str, Certificate], names: Iterable[str]
    ) -> dict[str, str]:
        """Replace those that HAProxy has otherwise."""
        there = sorted(certificates.keys() & names)
        shown = await self._api.run([commands.show_certificate(name) for name in there])
        changed = [
            name
            for name, reply in zip(there, shown, strict=True)
            if commands.fingerprint(reply.text) != certificates[name].fingerprint
            or self._has_other_parts(name, certificates[name])
        ]
        return {
            name: problem
            for name in changed
            if (problem := await self._run(commands.replacing(name, certificates[name].pem)))
        }

    def _has_other_parts(self, name: str, certificate: Certificate) -> bool:
        """Whether another chain or key came with the certificate that HAProxy has."""
        sent = self._done[1].get(name) if self._done else None
        return sent is not None and sent.pem != certificate.pem

    async def _add(
        self, directory: str, certificates: Mapping[str, Certificate], names: Iterable[str]
    ) -> dict[str, str]:
        """Add those that HAProxy does not have; without a certificate, nothing is left behind."""
        refused = {}
        for name in sorted(certificates.keys() - names):
            adding = commands.adding(directory, name, certificates[name].pem)
            if problem := await self._run(adding):
                refused[name] = problem
                await self._api.run([commands.delete_certificate(name)])
        return refused

    async def _delete(self, directory: str, names: Iterable[str]) -> None:
        """Delete those whose files are gone. What something else uses stays until a reload."""
        for name in names:
            await self._api.run(
                [commands.delete_entry(directory, name), commands.delete_certificate(name)]
            )

    async def _run(self, batch: Iterable[Command]) -> str:
        """Run commands one after the other; return the problem of the first that fails."""
        for command in batch:
            reply: Reply
            (reply,) = await self._api.run([command])
            if reply.verdict is not Verdict.DONE:
                await self._api.run([commands.abort(command)])
                return str(reply.problem())
        return ""


def _gone(directory: Path, names: Iterable[str], files: CertificateFiles) -> list[str]:
    """Return the names that HAProxy has and that have no file any more.

    A directory without any certificate is more likely a mount that is missing: nothing is gone.
    """
    if not files.names:
        return []
    return sorted(
        name
        for name in names
        if name not in files.names and Path(name).parent == directory and name.endswith(".pem")
    )
