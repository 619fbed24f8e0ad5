"""Validate a draft: check every key and report every problem, whatever else is broken."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from pydantic import ValidationError

from drove_gateway.config import rules, sentences
from drove_gateway.config.draft import Draft, Location, Notice, Problem, tables
from drove_gateway.config.fields import Section
from drove_gateway.config.rules import Finding
from drove_gateway.config.settings import NamespaceSettings, Settings


class Verdict(msgspec.Struct, frozen=True):
    """The result of validation.

    Use `settings` only if there are no `problems`: broken keys have placeholder values. `broken`
    are the top-level keys with a problem of their own.
    """

    settings: Settings
    problems: tuple[Problem, ...]
    unknown: tuple[Notice, ...]
    notices: tuple[Notice, ...]
    broken: frozenset[str]


class _Table(msgspec.Struct, frozen=True):
    """The sound values of a table, the names of its broken keys, and the problems."""

    sound: Mapping[str, object]
    broken: frozenset[str]
    problems: tuple[Problem, ...]


def validate(draft: Draft) -> Verdict:
    """Check every key and every rule."""
    top = {key: value for key, value in draft.values.items() if key != "namespaces"}
    general = _check(Settings, top, (), draft)
    namespaces = [
        _check(NamespaceSettings, table, ("namespaces", index), draft)
        for index, table in enumerate(tables(draft.values))
    ]
    misplaced = _misplaced_namespaces(draft)
    broken = general.broken | (frozenset({"namespaces"}) if misplaced else frozenset())
    stand_ins = [_with_placeholders(index, table) for index, table in enumerate(namespaces)]
    settings = Settings.model_validate({**general.sound, "namespaces": stand_ins})

    problems = (*draft.problems, *general.problems, *misplaced)
    for table in namespaces:
        problems += table.problems
    problems += tuple(concluded(draft, (), settings, broken, rules.problems(settings)))
    return Verdict(
        settings=settings,
        problems=problems,
        unknown=tuple(sentences.unknown_keys(draft)),
        notices=(*draft.notices, *_cautions(draft, settings, broken)),
        broken=broken,
    )


def concluded(
    draft: Draft,
    location: Location,
    section: Section,
    broken: frozenset[str],
    findings: Iterable[Finding],
) -> Iterator[Problem]:
    """Return each finding that does not depend on a broken key, with its place."""
    for finding in findings:
        if broken.isdisjoint((finding.key, *finding.reads)):
            where = (*location, finding.key)
            value = getattr(section, finding.key, None)
            plain = value is None or isinstance(value, tuple)
            subject = draft.label(where) if plain else sentences.assignment(draft, where, value)
            yield Problem(subject, finding.text)


def _check(
    section: type[Section], table: Mapping[str, object], location: Location, draft: Draft
) -> _Table:
    keys = sentences.keys_of(section)
    known = {key: value for key, value in table.items() if key in keys}
    try:
        section.model_validate(known)
    except ValidationError as error:
        found = error.errors()
        broken = frozenset(str(each["loc"][0]) for each in found)
        sound = {key: value for key, value in known.items() if key not in broken}
        problems = tuple(sentences.refusal(draft, location, each) for each in found)
        return _Table(sound, broken, problems)
    return _Table(known, frozenset(), ())


def _with_placeholders(index: int, table: _Table) -> NamespaceSettings:
    """Return the namespace with placeholders for broken keys, so that rules can be checked."""
    needed = {"name": f"namespaces[{index}]", "drove": ["http://unknown"]}
    return NamespaceSettings.model_validate({**needed, **table.sound})


def _misplaced_namespaces(draft: Draft) -> tuple[Problem, ...]:
    if not draft.values.get("namespaces") or tables(draft.values):
        return ()
    label = draft.label(("namespaces",))
    return (Problem(label, "must be tables; begin each with [[namespaces]] in double brackets"),)


def _cautions(draft: Draft, settings: Settings, broken: frozenset[str]) -> Iterator[Notice]:
    for caution in concluded(draft, (), settings, broken, rules.cautions(settings)):
        yield Notice("warning", str(caution), caution.label.line)
    for index, namespace in enumerate(settings.namespaces):
        found = rules.namespace_cautions(namespace)
        for caution in concluded(draft, ("namespaces", index), namespace, frozenset(), found):
            yield Notice("warning", str(caution), caution.label.line)
