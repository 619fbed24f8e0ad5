"""The HTML of the page, made from the status. Everything foreign is escaped by the templates."""

from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from drove_gateway.admin.ui.vhost_list import vhost_page
from drove_gateway.model.wording import age, count_of, printable
from drove_gateway.status.explanation import Explanation
from drove_gateway.status.problems import problems
from drove_gateway.status.status import Status
from drove_gateway.status.verdict import verdict

_MOST_APPLIES = 50
_MOST_PROBLEMS = 50
_LONGEST_TEXT = 400


class Pages:
    """Renders each page from the status as of now."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=PackageLoader("drove_gateway.admin.ui"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "clock": _clock,
            "milliseconds": _milliseconds,
            "known": lambda count: "" if count is None else f"{count:,}",
            "age": lambda seconds: "" if seconds is None else age(seconds),
            "short": lambda text: printable(str(text), _LONGEST_TEXT),
            "count": count_of,
        }

    def overview(self, status: Status) -> str:
        """The first page."""
        found = problems(status)
        return self._render(
            "overview.html",
            status,
            problems=found[:_MOST_PROBLEMS],
            more_problems=max(0, len(found) - _MOST_PROBLEMS),
            applies=status.history[:_MOST_APPLIES],
            stages=_stage_figures(status),
        )

    def vhosts(self, status: Status, search: str, number: int) -> str:
        """A page of the list of vhosts."""
        return self._render(
            "vhosts.html", status, page=vhost_page(status, search, number), search=search
        )

    def vhost(self, status: Status, detail: Explanation) -> str:
        """The page of a vhost."""
        return self._render("vhost.html", status, detail=detail)

    def _render(self, name: str, status: Status, **facts: object) -> str:
        return self._templates.get_template(name).render(
            status=status, verdict=verdict(status), **facts
        )


def _stage_figures(status: Status) -> tuple[tuple[str, float, float], ...]:
    """Each stage with the median and the 99th percentile of its seconds in the history."""
    seconds: dict[str, list[float]] = {"the whole": [record.took for record in status.history]}
    for record in status.history:
        for stage, took in record.seconds:
            seconds.setdefault(stage.value, []).append(took)
    return tuple(
        (name, _percentile(values, 0.5), _percentile(values, 0.99))
        for name, values in seconds.items()
        if values
    )


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _clock(at: float | None) -> str:
    if at is None:
        return "never"
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
