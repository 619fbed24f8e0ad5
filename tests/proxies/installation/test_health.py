"""What health says of an installation, and the news about its template."""

from drove_gateway.model.errors import CommandFailed, GatewayError, RenderError
from drove_gateway.model.health import HealthSection
from drove_gateway.proxies.installation.health import InstallationHealth

WELL = HealthSection()


def broken(why: str) -> HealthSection:
    return HealthSection(healthy=False, message=why)


def news(*reports: tuple[GatewayError | None, HealthSection]) -> list[str]:
    """What is announced of these reports."""
    announced: list[str] = []
    health = InstallationHealth(announced.append)
    for error, template in reports:
        health.report(error, template)
    return announced


def test_a_template_that_works_from_the_start_is_not_announced() -> None:
    assert news((None, WELL), (None, WELL)) == []


def test_a_problem_of_the_template_is_announced_once_when_it_begins_and_once_when_it_ends() -> None:
    begin, end = news((None, broken("line 3")), (None, broken("line 3")), (None, WELL))
    assert (begin, end) == ("line 3", "")


def test_another_problem_of_the_template_is_announced() -> None:
    assert news((None, broken("line 3")), (None, broken("line 4"))) == ["line 3", "line 4"]


def test_a_template_without_a_good_version_is_announced_with_the_error_of_the_install() -> None:
    assert news((RenderError("line 3"), WELL), (None, WELL)) == ["line 3", ""]


def test_a_proxy_that_cannot_be_reloaded_says_nothing_about_the_template() -> None:
    health = InstallationHealth()
    health.report(CommandFailed("no reload"), WELL)
    assert health.config == broken("no reload")
    assert health.template == WELL
    assert news((CommandFailed("no reload"), WELL)) == []
