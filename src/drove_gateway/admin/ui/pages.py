"""The HTML of the page, made from the status. Everything foreign is escaped by the templates."""

from collections.abc import Sequence
from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from drove_gateway.admin.sessions import Viewer
from drove_gateway.admin.sources import Sources
from drove_gateway.admin.ui.chart import bars
from drove_gateway.admin.ui.vhost_list import vhost_page
from drove_gateway.model.plan import Step
from drove_gateway.model.wording import age, count_of, first_and_more, printable
from drove_gateway.state.past import PastApply
from drove_gateway.status.explanation import Explanation
from drove_gateway.status.problems import problems
from drove_gateway.status.status import Status
from drove_gateway.status.timeline import Moment, timeline
from drove_gateway.status.verdict import verdict

_MOST_MOMENTS = 50
_MOST_PROBLEMS = 50
_LONGEST_TEXT = 400
_MOST_SUBJECTS = 3


class Pages:
    """Renders each page from the status as of now."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
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
            "line": _line,
            "subjects": _subjects,
        }

    def overview(self, status: Status, viewer: Viewer) -> str:
        """The first page."""
        found = problems(status)
        return self._render(
            "overview.html",
            status,
            viewer,
            problems=found[:_MOST_PROBLEMS],
            more_problems=max(0, len(found) - _MOST_PROBLEMS),
            moments=self._moments(status),
            bars=bars(status),
            desired_hash=self._sources.desired_hash.of(status.built.topology),
        )

    def _moments(self, status: Status) -> Sequence[Moment]:
        """The time line: this run's applies, then those of earlier runs, and the events."""
        applies = status.history
        if len(applies) < _MOST_MOMENTS:
            applies = (*applies, *self._sources.past(status))
        return timeline(applies, self._sources.journal.events(_MOST_MOMENTS), _MOST_MOMENTS)

    def vhosts(self, status: Status, viewer: Viewer, search: str, number: int) -> str:
        """A page of the list of vhosts."""
        return self._render(
            "vhosts.html", status, viewer, page=vhost_page(status, search, number), search=search
        )

    def vhost(self, status: Status, viewer: Viewer, detail: Explanation) -> str:
        """The page of a vhost."""
        return self._render("vhost.html", status, viewer, detail=detail)

    def past_apply(self, status: Status, viewer: Viewer, past: PastApply) -> str:
        """The page of an apply."""
        return self._render("apply.html", status, viewer, past=past)

    def login(self, *, wrong: bool) -> str:
        """The form that begins a session; it shows nothing of the gateway."""
        return self._templates.get_template("login.html").render(wrong=wrong)

    def _render(self, name: str, status: Status, viewer: Viewer, **facts: object) -> str:
        return self._templates.get_template(name).render(
            status=status, viewer=viewer, verdict=verdict(status), **facts
        )


def _line(text: str) -> str:
    """A line with its indentation, which `printable` would take away."""
    indent = len(text) - len(text.lstrip(" "))
    return " " * indent + printable(text, _LONGEST_TEXT)


def _subjects(steps: Sequence[Step]) -> str:
    """What the steps of an apply were about: vhosts, or the proxy."""
    names = dict.fromkeys(step.subject.partition("/")[0] for step in steps)
    return printable(first_and_more(list(names), _MOST_SUBJECTS, separator=", "), _LONGEST_TEXT)


def _clock(at: float | None) -> str:
    if at is None:
        return "never"
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
