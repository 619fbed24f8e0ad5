"""What the Dockerfile promises."""

import re

import pytest
from tests.container.dockerfile import FILE, PROJECT, Stage, stages

from drove_gateway.container.setup import DEFAULT_LISTEN, HTTP_PORT
from drove_gateway.proxies.registry import CONTAINERS

TEXT = FILE.read_text()
STAGES = stages(TEXT)
FINAL = STAGES[-1]


def test_every_base_is_pinned_to_a_release() -> None:
    names = {stage.name for stage in STAGES}
    for stage in STAGES[:-1]:
        assert stage.base in names or re.search(r":[a-z-]*\d+[\w.-]*$", stage.base), stage.base
        assert "latest" not in stage.base


def test_there_is_an_image_for_each_proxy() -> None:
    assert FINAL.base == "${PROXY}"
    assert {stage.name for stage in STAGES} == {"build", *CONTAINERS, ""}
    assert "ARG PROXY=nginx\n" in TEXT
    assert FINAL.only("ENV").value.endswith("PROXY_PLATFORM=${PROXY}")


@pytest.mark.parametrize("label", ["version", "revision", "source"])
def test_labels_say_what_the_image_was_built_from(label: str) -> None:
    argument = label.upper()
    assert f'org.opencontainers.image.{label}="${{{argument}}}"' in FINAL.only("LABEL").value
    assert f"{argument}=unknown" in [each.value for each in FINAL.all("ARG")]


def test_compose_builds_the_image_once() -> None:
    text = (PROJECT / "docker" / "compose.yaml").read_text()
    assert text.count("build:") == 1
    assert text.count("image:") == 2


def test_it_runs_as_a_user_that_is_not_root_by_number() -> None:
    user, group = FINAL.only("USER").value.split(":")
    assert int(user) > 0
    assert int(group) > 0
    assert FINAL.instructions.index(FINAL.only("USER")) > FINAL.instructions.index(
        FINAL.all("RUN")[-1]
    )


def test_the_entry_point_is_ours_and_takes_signals_itself() -> None:
    assert FINAL.only("ENTRYPOINT").array() == ["drove-gateway", "container"]
    assert FINAL.only("CMD").array() == []
    assert FINAL.only("STOPSIGNAL").value == "SIGTERM"


def test_its_health_is_asked_by_a_command_of_ours() -> None:
    options, _, command = FINAL.only("HEALTHCHECK").value.partition(" CMD ")
    assert command == '["drove-gateway", "container", "--health"]'
    assert {"--interval", "--timeout", "--start-period", "--retries"} == set(
        re.findall(r"--[a-z-]+", options)
    )


def test_the_default_ports_are_declared() -> None:
    assert FINAL.only("EXPOSE").value.split() == [HTTP_PORT, DEFAULT_LISTEN.rpartition(":")[2]]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name or "final")
def test_no_secret_can_get_into_a_layer(stage: Stage) -> None:
    for instruction in (*stage.all("ENV"), *stage.all("ARG"), *stage.all("LABEL")):
        assert not re.search(r"(?i)pass|secret|token|key|user", instruction.value)
    for instruction in (*stage.all("COPY"), *stage.all("ADD")):
        assert instruction.keyword == "COPY"
        assert instruction.value.split()[0] in {"constraints.txt", "--from=build"}


def test_the_context_is_the_wheel_alone() -> None:
    lines = (PROJECT / ".dockerignore").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        *("*", "!constraints.txt", "!dist/*.whl")
    ]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name or "final")
def test_package_lists_stay_out_of_the_image(stage: Stage) -> None:
    for run in stage.all("RUN"):
        if "apt-get install" in run.value and stage is FINAL:
            assert "rm -rf /var/lib/apt/lists/*" in run.value
        assert "apt-get upgrade" not in run.value
