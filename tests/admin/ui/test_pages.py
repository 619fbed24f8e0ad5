"""The page for people, requested over HTTP as a browser does."""

import re

import aiohttp
import msgspec
import pytest
from tests.admin.conftest import Api
from tests.admin.statuses import HELD, STAGE, serving
from tests.waiting import until

from drove_gateway.model.health import CertificateHealth, HealthSection
from drove_gateway.model.namespace_view import EndpointView, NamespaceView
from drove_gateway.model.plan import ApplyStage, Step
from drove_gateway.model.records import ApplyRecord, Happening, Progress
from drove_gateway.model.versioned_map import VersionedMap
from drove_gateway.model.vocabulary import App, Host, Topology
from drove_gateway.model.workers import ReloadPressure, Workers
from drove_gateway.state.history_entries import (
    AppliedEntry,
    Entry,
    FileEntry,
    HappeningEntry,
    encoded,
)
from drove_gateway.status.status import with_progress, with_record

BROWSER = {"Accept": "text/html,application/xhtml+xml"}
HOSTILE = "<script>alert(1)</script>\x1b[31m\n"
APPLIED = ApplyRecord(
    at=1700000000.0,
    took=0.012,
    triggers=("namespace stage",),
    reasons=("vhost a.local added",),
    steps=(Step("reload", "HAProxy", "vhost a.local added"),),
    seconds=((ApplyStage.RENDER, 0.002), (ApplyStage.RELOAD, 0.01)),
    reloaded=True,
)


def noted(api: Api, entry: Entry) -> None:
    api.journal.add(entry, encoded(entry))


async def page(client: aiohttp.ClientSession, url: str) -> str:
    async with client.get(url, headers=BROWSER) as response:
        assert response.status == 200
        assert response.content_type == "text/html"
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        return await response.text()


def first_sentence(html: str) -> str:
    found = re.search(r'<p class="verdict (\w+)" role="status">([^<]*)', html)
    assert found is not None
    return f"{found.group(1)}: {found.group(2).strip()}"


async def test_a_browser_at_the_root_is_sent_to_the_page(
    api: Api, client: aiohttp.ClientSession
) -> None:
    async with client.get(f"{api.url}/", headers=BROWSER, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, "/ui/")
    async with client.get(f"{api.url}/") as response:
        assert (await response.text()).startswith("version: ")


async def test_the_first_sentence_says_that_nothing_was_applied_yet(
    api: Api, client: aiohttp.ClientSession
) -> None:
    assert first_sentence(await page(client, f"{api.url}/ui/")) == (
        "grey: Nothing has been applied yet."
    )


async def test_the_first_sentence_says_that_all_is_well(
    api: Api, client: aiohttp.ClientSession
) -> None:
    api.status = with_record(serving(api.status), APPLIED)

    html = await page(client, f"{api.url}/ui/")

    assert first_sentence(html) == "green: All 2 vhosts served as Drove lists them."
    assert "vhost a.local added" in html


async def test_the_time_line_says_what_each_apply_was_about(
    api: Api, client: aiohttp.ClientSession
) -> None:
    steps = tuple(Step("add server", f"{name}/s1", "+1") for name in ("a", "a", "b", "c", "d"))
    change = msgspec.structs.replace(APPLIED, steps=steps, left_out=2)
    api.status = with_record(serving(api.status), change)

    html = await page(client, f"{api.url}/ui/")

    assert "(7 steps for a, b, c, and 1 more)</summary>" in html


async def test_the_reasons_of_a_vhost_keep_their_indentation(
    api: Api, client: aiohttp.ClientSession
) -> None:
    api.status = serving(api.status)

    html = await page(client, f"{api.url}/ui/vhosts/a.local")

    assert "\n  app a-1: " in html


async def test_vhosts_that_are_not_applied_come_first(
    api: Api, client: aiohttp.ClientSession
) -> None:
    status = serving(api.status)
    fewer = msgspec.structs.replace(
        status.applied, apps=VersionedMap({"a.local": status.applied.apps["a.local"]})
    )
    api.status = with_progress(
        msgspec.structs.replace(with_record(status, APPLIED), applied=fewer),
        Progress("retrying", error="the check refused line 12"),
    )

    html = await page(client, f"{api.url}/ui/")

    assert first_sentence(html) == (
        "red: 1 of 2 vhosts not served as Drove lists them. Changes are not applied: the "
        "check refused line 12."
    )


@pytest.mark.parametrize("section", ["config", "template", "upstream_updates", "resolver"])
async def test_a_part_with_a_problem_is_named_with_its_cause(
    api: Api, client: aiohttp.ClientSession, section: str
) -> None:
    status = with_record(serving(api.status), APPLIED)
    broken = {section: HealthSection(healthy=False, message="line 7 is refused")}
    api.status = msgspec.structs.replace(
        status, proxy=msgspec.structs.replace(status.proxy, **broken)
    )

    html = await page(client, f"{api.url}/ui/")

    assert first_sentence(html).startswith("red: ")
    assert first_sentence(html).endswith(": line 7 is refused.")


async def test_a_hold_is_shown_with_the_command_that_ends_it(
    api: Api, client: aiohttp.ClientSession
) -> None:
    api.status = msgspec.structs.replace(with_record(serving(api.status), APPLIED), held=(HELD,))

    html = await page(client, f"{api.url}/ui/")

    assert first_sentence(html).startswith("amber: 12 servers on hold")
    assert "drove-gateway accept a.local" in html
    assert "drove-gateway accept a.local" in await page(client, f"{api.url}/ui/vhosts/a.local")


async def test_old_workers_that_delay_reloads_are_a_problem(
    api: Api, client: aiohttp.ClientSession
) -> None:
    pressure = ReloadPressure(Workers(1, 14, 140_000_000), interval=23.2, delays=True)
    status = with_record(serving(api.status), APPLIED)
    api.status = msgspec.structs.replace(status, reloads=pressure)

    html = await page(client, f"{api.url}/ui/")

    assert "Reloads are 23 s apart" in html
    assert "14 old workers with 140 MB" in html


async def test_a_vhost_shows_what_is_wanted_beside_what_was_applied(
    api: Api, client: aiohttp.ClientSession
) -> None:
    api.status = serving(api.status)

    served = await page(client, f"{api.url}/ui/vhosts/A.local.")
    unknown = await page(client, f"{api.url}/ui/vhosts/nope.local")

    assert "It is served." in served
    assert "10.0.0.1:8080" in served
    assert "app a-1: 1 of 1 host accepted" in served
    assert "This is 404 because no controller lists an app with this vhost." in unknown


async def test_a_vhost_names_what_forced_its_last_reload(
    api: Api, client: aiohttp.ClientSession
) -> None:
    line = "`acl known hdr(host) a.local` in `frontend http`"
    forced = msgspec.structs.replace(APPLIED, reasons=("vhost a.local added", line))
    api.status = with_record(serving(api.status), forced)

    html = await page(client, f"{api.url}/ui/vhosts/a.local")
    other = await page(client, f"{api.url}/ui/vhosts/b.local")

    assert "Last reload because of it: <time>2023-11-14 22:13:20 UTC</time>" in html
    assert f"vhost a.local added; {line}" in html
    assert "Last reload because of it" not in other


async def test_text_from_outside_is_shown_as_text(api: Api, client: aiohttp.ClientSession) -> None:
    status = with_record(
        serving(api.status), msgspec.structs.replace(APPLIED, error=HOSTILE, triggers=(HOSTILE,))
    )
    api.status = msgspec.structs.replace(status, xproxy=HOSTILE)

    for path in ("/ui/", f"/ui/vhosts?q={HOSTILE}", "/ui/vhosts/%3Cscript%3Ealert(1)"):
        async with client.get(api.url + path, headers=BROWSER) as response:
            html = await response.text()
        assert "<script>alert" not in html
        assert "\x1b" not in html


async def test_an_apply_opens_its_plan_and_the_diff_of_the_configuration(
    api: Api, client: aiohttp.ClientSession
) -> None:
    api.status = with_record(serving(api.status), APPLIED)
    noted(api, AppliedEntry(APPLIED))
    noted(api, FileEntry(APPLIED.at + 0.01, f"@@ line 3 @@\n+server s1\n-{HOSTILE}"))

    (number,) = set(re.findall(r"/ui/applies/(\d+)", await page(client, f"{api.url}/ui/")))
    html = await page(client, f"{api.url}/ui/applies/{number}")

    assert "reload HAProxy: vhost a.local added" in html
    assert "render 2.0 ms" in html
    assert '<span class="green">+server s1</span>' in html
    assert "<script>alert" not in html


async def test_applies_and_events_of_earlier_runs_are_on_the_time_line(
    api: Api, client: aiohttp.ClientSession
) -> None:
    earlier = msgspec.structs.replace(APPLIED, at=1600000000.0, triggers=("SIGHUP",))
    noted(api, AppliedEntry(earlier))
    noted(api, HappeningEntry(Happening(1650000000.0, "leader", "http://c9 leads")))
    api.status = with_record(serving(api.status), APPLIED)

    html = await page(client, f"{api.url}/ui/")

    assert html.index("namespace stage") < html.index("http://c9 leads") < html.index("SIGHUP")


async def test_an_unknown_apply_is_not_found(api: Api, client: aiohttp.ClientSession) -> None:
    async with client.get(f"{api.url}/ui/applies/17") as response:
        assert response.status == 404


async def test_programs_page_through_the_history(api: Api, client: aiohttp.ClientSession) -> None:
    for number in range(5):
        noted(api, AppliedEntry(msgspec.structs.replace(APPLIED, at=float(number))))
    noted(api, HappeningEntry(Happening(9.0, "hold", "12 servers on hold")))

    async with client.get(f"{api.url}/v1/history?limit=2") as response:
        first = await response.json()
    before = first["applies"][-1]["number"]
    async with client.get(f"{api.url}/v1/history?before={before}&limit=99999") as response:
        rest = await response.json()

    assert [each["apply"]["at"][-3:-1] for each in first["applies"]] == ["04", "03"]
    assert (first["more"], rest["more"], len(rest["applies"])) == (True, False, 3)
    assert first["events"][0]["text"] == "12 servers on hold"


async def test_nothing_is_older_than_an_apply_that_is_no_longer_kept(
    api: Api, client: aiohttp.ClientSession
) -> None:
    noted(api, AppliedEntry(APPLIED))

    async with client.get(f"{api.url}/v1/history?before=17") as response:
        document = await response.json()

    assert (document["applies"], document["more"]) == ([], False)


async def test_a_controller_that_is_down_is_not_shown_as_standing_by(
    api: Api, client: aiohttp.ClientSession
) -> None:
    controllers = (
        EndpointView("http://c1", True, "OK"),
        EndpointView("http://c2", False, "400 Bad Request", stands_by=True),
        EndpointView("http://c3", False, "connection refused"),
    )
    api.status = msgspec.structs.replace(
        serving(api.status), namespaces=(NamespaceView("stage", controllers),)
    )

    html = await page(client, f"{api.url}/ui/")
    rows = re.findall(r"<td>(http://c\d)</td>\s*<td>(.*?)</td>", html)

    assert rows == [
        ("http://c1", "leads"),
        ("http://c2", "stands by"),
        ("http://c3", '<span class="red">connection refused</span>'),
    ]


async def test_a_problem_and_a_leader_say_since_when(
    api: Api, client: aiohttp.ClientSession
) -> None:
    status = with_record(serving(api.status), APPLIED)
    leading = msgspec.structs.replace(STAGE, leads_since=1700000000.0)
    api.status = msgspec.structs.replace(
        status, namespaces=(leading,), since={"rejected": 1700000060.0}
    )

    html = await page(client, f"{api.url}/ui/")

    assert "leads since <time>2023-11-14 22:13:20 UTC</time>" in html
    assert "<td>1 rejected from Drove</td><td><time>2023-11-14 22:14:20 UTC</time></td>" in html


async def test_certificates_are_shown_with_their_end_and_what_is_wrong(
    api: Api, client: aiohttp.ClientSession
) -> None:
    files = (
        CertificateHealth("web.pem", expires=1700000000.0),
        CertificateHealth("broken.pem", problem="a certificate of the file is not base64"),
    )
    status = with_record(serving(api.status), APPLIED)
    api.status = msgspec.structs.replace(
        status, proxy=msgspec.structs.replace(status.proxy, certificate_files=files)
    )

    html = await page(client, f"{api.url}/ui/")

    assert "<td>web.pem</td><td>2023-11-14 22:13:20 UTC</td>" in html
    assert "a certificate of the file is not base64" in html


async def test_a_vhost_shows_the_certificate_that_its_clients_get(
    api: Api, client: aiohttp.ClientSession
) -> None:
    status = with_record(serving(api.status), APPLIED)
    files = (CertificateHealth("a.pem", expires=1700000000.0, names=("a.local",)),)
    api.status = msgspec.structs.replace(
        status, proxy=msgspec.structs.replace(status.proxy, certificate_files=files)
    )

    html = await page(client, f"{api.url}/ui/vhosts/a.local")

    assert "Certificate: a.pem, expires on 2023-11-14" in html
    async with client.get(f"{api.url}/v1/explain?q=a.local") as response:
        (vhost,) = (await response.json())["vhosts"]
    assert vhost["certificate"]["expires"] == "2023-11-14T22:13:20Z"


async def test_a_hundred_thousand_servers_fit_into_small_pages(
    api: Api, client: aiohttp.ClientSession
) -> None:
    hosts = tuple(Host(f"10.0.{n // 250}.{n % 250}", 8000, "http") for n in range(10))
    apps = VersionedMap(
        {
            name: App(name, name, hosts, {}, {}, "")
            for name in (f"app{n}.example.com" for n in range(10_000))
        }
    )
    built = msgspec.structs.replace(api.status.built, topology=Topology(apps, {}))
    status = msgspec.structs.replace(serving(api.status), built=built, applied=Topology(apps, {}))
    api.status = with_record(status, APPLIED)

    first = await page(client, f"{api.url}/ui/")
    second = await page(client, f"{api.url}/ui/vhosts?page=2")
    found = await page(client, f"{api.url}/ui/vhosts?q=app9999")

    assert max(map(len, (first, second, found))) < 100_000
    assert "page 2" in second
    assert 'href="/ui/vhosts/app9999.example.com"' in found


@pytest.mark.parametrize("number", ["0", "-1", "99999999999999", "x", "²"])
async def test_an_odd_page_number_shows_a_page(
    api: Api, client: aiohttp.ClientSession, number: str
) -> None:
    api.status = serving(api.status)

    assert "a.local" in await page(client, f"{api.url}/ui/vhosts?page={number}")


async def test_the_stream_says_when_to_look_again(api: Api, client: aiohttp.ClientSession) -> None:
    async with client.get(f"{api.url}/ui/events") as response:
        assert response.content_type == "text/event-stream"
        lines: list[bytes] = []

        async def reported() -> bool:
            api.status = with_record(api.status, APPLIED)
            lines.append(await response.content.readline())
            return lines[-1] == b"data: changed\n"

        await until(reported)


@pytest.mark.parametrize("name", ["style.css", "live.js"])
async def test_style_and_script_come_from_the_gateway(
    api: Api, client: aiohttp.ClientSession, name: str
) -> None:
    async with client.get(f"{api.url}/ui/{name}") as response:
        assert response.status == 200
        assert "http" not in (await response.text())
