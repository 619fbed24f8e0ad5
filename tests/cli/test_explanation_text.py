"""The text of `explain` in a terminal."""

from datetime import UTC, datetime

from drove_gateway.cli.explanation_text import lines
from drove_gateway.status.explain_document import (
    ExplainDocument,
    ExplainedCertificate,
    ExplainedServer,
    ExplainedVhost,
    PresentServer,
)

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def test_the_certificate_that_clients_get_is_named() -> None:
    certificate = ExplainedCertificate("web.pem", NOW, text="web.pem, expires on 2026-11-27")
    vhost = ExplainedVhost("web.local", "It is served.", True, certificate=certificate)
    document = ExplainDocument("vhost web.local", "All is well.", vhosts=(vhost,))

    shown = list(lines(document, "http://localhost:6000", NOW, width=80))

    assert "Certificate: web.pem, expires on 2026-11-27" in shown


def test_a_single_request_is_not_counted_in_the_plural() -> None:
    present = PresentServer("web", "s1", "UP", True, sessions=1, requests=1, errors=2)
    server = ExplainedServer("10.0.0.1:80", "http", True, True, False, (present,))
    vhost = ExplainedVhost("web.local", "It is served.", True, servers=(server,))
    document = ExplainDocument("vhost web.local", "All is well.", vhosts=(vhost,))

    shown = " ".join(lines(document, "http://localhost:6000", NOW, width=200))

    assert "1 session, 1 request, 2 errors" in shown
