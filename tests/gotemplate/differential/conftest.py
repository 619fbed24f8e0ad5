"""The reference, built once for a session."""

from collections.abc import Iterator

import pytest
from tests.gotemplate.differential.reference import Reference, build, running, toolchain


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reference]:
    """Go's text/template; tests that need it are skipped on machines without Go."""
    go = toolchain()
    if go is None:
        pytest.skip("there is no Go toolchain on this machine to compare with")
    with running(build(go, tmp_path_factory.mktemp("reference"))) as started:
        yield started
