"""Metrics in the Prometheus text format 0.0.4, written like Go's client. Pure.

The Python client's own writer appends ``_total`` to the name of every counter, adds a ``_created``
series to each, and writes ``3.0`` and ``le="1.0"``. The original's counters have no such suffix,
and dashboards query them by these names.
"""

import math
from collections.abc import Container, Iterable

from prometheus_client import Metric
from prometheus_client.samples import Sample

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_HELP_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})


def text(families: Iterable[Metric], bare: Container[str]) -> str:
    """The exposition of `families`. Counters named in `bare` have no ``_total`` suffix."""
    return "".join(line for family in families for line in _lines(family, family.name in bare))


def _lines(family: Metric, bare: bool) -> Iterable[str]:
    suffix = "_total" if family.type == "counter" and not bare else ""
    yield f"# HELP {family.name}{suffix} {family.documentation.translate(_HELP_ESCAPES)}\n"
    yield f"# TYPE {family.name}{suffix} {family.type}\n"
    for sample in family.samples:
        if sample.name == f"{family.name}_created":
            continue
        name = family.name if bare else sample.name
        yield f"{name}{_labels(sample)} {_number(sample.value)}\n"


def _labels(sample: Sample) -> str:
    if not sample.labels:
        return ""
    pairs = (
        f'{name}="{_number(float(value)) if name == "le" else value.translate(_ESCAPES)}"'
        for name, value in sample.labels.items()
    )
    return f"{{{','.join(pairs)}}}"


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else repr(float(value)).removesuffix(".0")
