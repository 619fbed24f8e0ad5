"""What this package counts. The metric is the method's name, its label the first argument."""

from typing import Protocol


class DroveMetrics(Protocol):
    """The original's metrics of the Drove side; `namespace` is the label of each."""

    def endpoint_check_fails(self, namespace: str) -> None:
        """A controller responded to a ping, but does not lead; stand-bys do so."""

    def endpoint_down_errors(self, namespace: str) -> None:
        """A controller did not respond to a ping at all."""

    def drove_app_sync_failed(self, namespace: str) -> None:
        """`/v1/endpoints` was requested without a usable response."""

    def drove_stream_errors(self, namespace: str) -> None:
        """The events were requested without a usable response."""

    def drove_stream_no_data_warnings(self, namespace: str) -> None:
        """A round of pings found no controller that could report events."""

    def drove_events_received(self, namespace: str, count: int) -> None:
        """`count` events are new in the leader's list; at least 1."""

    def drove_notice_duration_seconds(self, namespace: str, seconds: float) -> None:
        """A poll of events showed a change that happened `seconds` before."""

    def drove_audit_differences(self, namespace: str, count: int) -> None:
        """A full fetch without a reason found `count` apps changed that no event named."""

    def drove_app_refresh_duration(self, namespace: str, seconds: float) -> None:
        """Fetching `/v1/endpoints`, decoding and accepting the response took `seconds`."""

    def all_endpoints_down_errors(self, namespace: str, down: bool) -> None:
        """Whether no controller leads, after each round of pings."""

    def configured_endpoints_total(self, namespace: str, count: int) -> None:
        """How many controllers the configuration names."""

    def healthy_endpoints_total(self, namespace: str, count: int) -> None:
        """How many controllers say that they lead, after each round of pings."""
