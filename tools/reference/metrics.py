"""The reference of all metrics, made from their declarations.

`python -m tools.reference.metrics --write` writes the page, `--check` exits with 1 where
the file differs from what would be written.
"""

from collections.abc import Iterable
from pathlib import Path

from drove_gateway.metrics.catalog import ORIGINAL, OWN, Declared
from tools.reference.pages import page_command

_HEAD = """# Metrics

<!-- Made from the declarations in src/drove_gateway/metrics/catalog.py by
     `python -m tools.reference.metrics --write`; edit those, not this page. -->

`GET /v1/metrics` shows these in the Prometheus text format. Series whose labels are known exist
from the start with the value 0; the series of a namespace end when it leaves the configuration.

## The original's

Names, labels and buckets are those of the original, so its dashboards and alerts go on working.
Counters without `_total` have none on the wire either.

"""

_OWN = """
## Further ones

"""

_PROCESS = """
Beside these stand `process_*` (memory, processor time, file descriptors), `python_info` and
`python_gc_*` as the Prometheus client for Python gives them.

## Dashboard and alerts

[examples/grafana.json](../../examples/grafana.json) is a dashboard that shows all of these: import
it into Grafana and choose the data source. [examples/alerts.yml](../../examples/alerts.yml) has
rules for Prometheus; each says what is wrong, what it means for traffic, what to do, and where
[the operations page](../operations.md) tells more. Give the scraping job the name `drove-gateway`:

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
    head = "| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n"
    return head + "".join(_row(one) for one in metrics)


def _row(one: Declared) -> str:
    labels = ", ".join(f"`{label}`" for label in one.labels)
    meaning = one.help
    if one.kind == "histogram":
        meaning += f" Buckets: {', '.join(f'{bound:g}' for bound in one.buckets)}."
    return f"| `{one.shown}` | {one.kind} | {labels} | {meaning} |\n"


main = page_command(page, Path("docs/reference/metrics.md"))


if __name__ == "__main__":
    main()
