"""A preview as JSON. Keys may be added; no key is removed or changes its meaning. Pure."""

import msgspec

from drove_gateway.acceptance.held import HeldWithdrawal
from drove_gateway.cli.forecast import Forecast
from drove_gateway.model.plan import Step
from drove_gateway.model.vocabulary import Rejection
from drove_gateway.proxies.installation.preview import Preview


class PlanDocument(msgspec.Struct, frozen=True):
    """What would be served, done, held and rejected, and why."""

    vhosts: int
    servers: int
    reload: tuple[str, ...]
    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    complete: bool
    held: tuple[HeldWithdrawal, ...]
    rejected: tuple[Rejection, ...]


def plan_json(preview: Preview, expected: Forecast) -> str:
    """The document on a single line."""
    apps = preview.plan.desired.apps
    document = PlanDocument(
        vhosts=len(apps),
        servers=sum(len(app.hosts) for app in apps.values()),
        reload=preview.plan.reload,
        steps=preview.plan.servers,
        notes=preview.notes,
        complete=preview.complete,
        held=expected.held,
        rejected=expected.built.rejected,
    )
    return msgspec.json.encode(document).decode()
