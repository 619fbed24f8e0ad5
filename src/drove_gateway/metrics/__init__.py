"""What is counted and timed: declared once, recorded, and shown at `/v1/metrics`."""

from drove_gateway.metrics.exposition import CONTENT_TYPE
from drove_gateway.metrics.recorder import Metrics

__all__ = ["CONTENT_TYPE", "Metrics"]
