"""The document of /v1/status is the same for the server that writes it and for who reads it."""

from types import ModuleType

import msgspec
import pytest

from drove_gateway.model.about import About
from drove_gateway.model.namespace_view import EndpointView, NamespaceView
from drove_gateway.model.plan import ApplyStage, Step
from drove_gateway.model.records import ApplyRecord, StoredState
from drove_gateway.model.vocabulary import Leader
from drove_gateway.status import document, explain_document
from drove_gateway.status.document import StatusDocument
from drove_gateway.status.document_builder import status_document
from drove_gateway.status.status import Status, with_record, with_restored, with_stored


def busy() -> Status:
    """A status in which every part of the document has something to show."""
    view = NamespaceView(
        "stage", (EndpointView("http://c1:10000", True, "OK"),), Leader("http://c1:10000"), 3.5
    )
    record = ApplyRecord(
        1.25, 0.5, ("event",), ("a new vhost",), (Step("add server", "web/s1", "new host"),),
        failed=(("a.local", "no server left"),),
    )  # fmt: skip
    status = Status(About("1.0"), 0.0, {}, "lb1", namespaces=(view,))
    status = with_stored(status, StoredState("/var/lib/state.json", 2.0))
    return with_restored(with_record(status, record), {"stage": 1.0})


def test_document_survives_encoding_and_decoding() -> None:
    document = status_document(busy())

    assert msgspec.json.decode(msgspec.json.encode(document), type=StatusDocument) == document


def test_durations_of_a_stage_that_ran_twice_are_added() -> None:
    record = ApplyRecord(
        1.0, 0.5, (), (), (), seconds=((ApplyStage.SERVERS, 0.1), (ApplyStage.SERVERS, 0.2))
    )
    document = status_document(with_record(busy(), record))

    assert document.history[0].stages == {"servers": 0.3}


def test_a_document_of_another_version_can_be_read() -> None:
    other = (
        b"""{"version": "0.9", "started": "2026-11-22T10:00:00Z", "healthy": true, "new": [1]}"""
    )

    document = msgspec.json.decode(other, type=StatusDocument)

    assert (document.version, document.history, document.reconciler.state) == ("0.9", (), "unknown")


@pytest.mark.parametrize("module", [document, explain_document])
def test_a_name_means_the_same_in_every_document(module: ModuleType) -> None:
    """`held` lists what is held and `on_hold` is a yes or no."""
    structs = [each for each in vars(module).values() if isinstance(each, type)]
    fields = [
        field
        for struct in structs
        if issubclass(struct, msgspec.Struct)
        for field in msgspec.structs.fields(struct)
    ]
    kinds = {(field.name, str(field.type).startswith("typing.Annotated[bool")) for field in fields}

    assert {("on_hold", True), ("held", False)} <= kinds
    assert not {("on_hold", False), ("held", True)} & kinds


def test_names_of_stages_are_single_words() -> None:
    assert all(stage.value.isalpha() for stage in ApplyStage)
