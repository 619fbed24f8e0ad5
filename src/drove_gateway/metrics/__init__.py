"""Metrics: declared once, recorded, and exposed at `/v1/metrics`."""

from drove_gateway.metrics.exposition import CONTENT_TYPE
from drove_gateway.metrics.recorder import Metrics

__all__ = ["CONTENT_TYPE", "Metrics"]
