"""Build the reference of the metrics from their declarations."""

from collections.abc import Iterable, Mapping

from drove_gateway.metrics.catalog import ORIGINAL, OWN, Declared
from tools.reference.generated_files import reference_command
from tools.reference.markdown import table

_HEAD = """# Metrics

<!-- Generated from the declarations in src/drove_gateway/metrics/catalog.py by
     `python -m tools.reference.metrics --write`; edit those, not this page. -->

`GET /v1/metrics` returns these metrics in the Prometheus text format. Series whose labels are known
in advance exist from the start with the value 0. The series of a namespace end when it is removed
from the configuration.

## The original's metrics

Names, labels and buckets are the original's, so its dashboards and alerts keep working. A counter
listed without `_total` has no such suffix on the wire either.

"""

_OWN = """
## Additional metrics

"""

_PROCESS = """
In addition there are `process_*` (memory, processor time, file descriptors), `python_info` and
`python_gc_*`, as the Prometheus client for Python exports them.

## Dashboard and alerts

[examples/grafana.json](../../examples/grafana.json) is a dashboard of all these metrics: import it
into Grafana and choose the data source. [examples/alerts.yml](../../examples/alerts.yml) contains
alerting rules for Prometheus. Each rule says what is wrong, what it means for traffic, what to do,
and where [the operations page](../operations.md) says more. Name the scrape job `drove-gateway`:

```yaml
scrape_configs:
  - job_name: drove-gateway
    metrics_path: /v1/metrics
    static_configs:
      - targets: ["127.0.0.1:6000"]
```
"""


def page() -> str:
    """The whole page, in Markdown."""
    return _HEAD + _table(ORIGINAL) + _OWN + _table(OWN) + _PROCESS


def _table(metrics: Iterable[Declared]) -> str:
    return table(("Metric", "Type", "Labels", "Meaning"), map(_row, metrics))


def _row(metric: Declared) -> tuple[str, ...]:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    meaning = metric.help
    if metric.kind == "histogram":
        meaning += f" Buckets: {', '.join(f'{bound:g}' for bound in metric.buckets)}."
    return f"`{metric.shown}`", metric.kind, labels, meaning


def files() -> Mapping[str, str]:
    """The generated file, by name."""
    return {"metrics.md": page()}


main = reference_command(files)


if __name__ == "__main__":
    main()
