"""Certificates of a directory that HAProxy has loaded by `crt DIRECTORY`, over its runtime API.

HAProxy keeps such a directory as a list of its files. The certificate of a file is compared by its
fingerprint, so a restart of either side needs nothing special. HAProxy shows no fingerprint of the
chain: a file is sent again where the rest of it changed since it was sent.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from drove_gateway.proxies.certificates.directory import CertificateFiles
from drove_gateway.proxies.certificates.pem import Certificate
from drove_gateway.proxies.haproxy.api import certificate_commands as commands
from drove_gateway.proxies.haproxy.api import runtime_commands
from drove_gateway.proxies.haproxy.api import server_state as state
from drove_gateway.proxies.haproxy.api.client import Reply, RuntimeApi
from drove_gateway.proxies.haproxy.api.replies import Verdict
from drove_gateway.proxies.haproxy.api.runtime_commands import Command

_NO_SUCH_LIST = "HAProxy has not loaded this directory, so its certificates do not serve"

_NO_NAME = "its name has characters that HAProxy's runtime API cannot take"

# HAProxy refuses every certificate while another program changes one.
_RETRY_SECONDS = 30.0


class HaproxyCertificates:
    """Brings certificates to HAProxy; a `CarriesCertificates`.

    What HAProxy refuses is sent again after `retry` seconds. `clock` counts monotonic seconds.
    """

    def __init__(
        self, api: RuntimeApi, *, clock: Callable[[], float], retry: float = _RETRY_SECONDS
    ) -> None:
        self._api = api
        self._clock = clock
        self._retry = retry
        self._retry_at = math.inf
        self._pid = 0
        self._files = CertificateFiles()
        self._sent: Mapping[str, Certificate] = {}
        self._refused: Mapping[str, str] = {}

    async def bring(self, directory: Path, files: CertificateFiles) -> Mapping[str, str]:
        process = state.process(await self._api.ask(runtime_commands.SHOW_INFO))
        if process.pid != self._pid:
            # It has loaded the files as they were.
            self._sent, self._refused = {}, {}
        elif files == self._files and self._clock() < self._retry_at:
            return self._refused
        (listed,) = await self._api.run([commands.show_list(str(directory))])
        if listed.verdict is Verdict.NO_LIST:
            return dict.fromkeys(files.certificates, _NO_SUCH_LIST)
        if listed.verdict is not Verdict.DONE:
            raise listed.problem()
        names = set(commands.listed(listed.text))
        usable = {n: each for n, each in files.certificates.items() if commands.can_name(n)}
        refused = dict.fromkeys(files.certificates.keys() - usable.keys(), _NO_NAME)
        refused |= await self._replace(usable, names)
        refused |= await self._add(str(directory), usable, names)
        await self._delete(str(directory), _gone(directory, names, files))
        # A file that cannot be used for a moment is still what was sent before.
        kept = {name: sent for name, sent in self._sent.items() if name in files.problems}
        self._sent = {**kept, **files.certificates}
        self._pid, self._files, self._refused = process.pid, files, refused
        self._retry_at = self._clock() + self._retry if refused else math.inf
        return refused

    async def _replace(
        self, certificates: Mapping[str, Certificate], names: Iterable[str]
    ) -> dict[str, str]:
        """Replace those that HAProxy has otherwise, or that have changed since they were sent."""
        there = sorted(certificates.keys() & names)
        shown = await self._api.run([commands.show_certificate(name) for name in there])
        changed = [
            name
            for name, reply in zip(there, shown, strict=True)
            if commands.fingerprint(reply.text) != certificates[name].fingerprint
            or self._sent.get(name, certificates[name]) != certificates[name]
            or name in self._refused
        ]
        return {
            name: problem
            for name in changed
            if (problem := await self._run(commands.replacing(name, certificates[name].pem)))
        }

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
