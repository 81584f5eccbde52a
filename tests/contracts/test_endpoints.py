"""Endpoints: two releases at most, shares that follow one another, and overrides that survive what they should."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.fallback import Unused
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint, ServedModel
from fleetcast.domain.service import KEPT, TIMES_END_MS, Served, ServerStretch, Stretch
from fleetcast.domain.traffic import Override, Report, Traffic, Watch
from fleetcast.platforms.azureml.endpoints import AzureEndpoints
from fleetcast.platforms.local.endpoints import LocalEndpoints, LocalTrafficBoard
from fleetcast.platforms.memory.platform import memory_platform
from fleetcast.ports.platform import Platform
from tests.clocks import NOON, FixedClock
from tests.contracts.conftest import OPENERS
from tests.contracts.samples import ADA, digest

PROD = EnvironmentName.PROD
LYON, PARIS = Endpoint(PROD, "LYON"), Endpoint(PROD, "PARIS")
ONE, TWO, THREE = digest("one"), digest("two"), digest("three")
HOUR = timedelta(hours=1)
ASKED = Served(3, 1, 1, (3, *(0 for _ in TIMES_END_MS)))
WATCH = Watch(window=timedelta(seconds=7))
HELD = Override("a", None, Unused.HELD, NOON)
BLOCKED = Override("b", ServedModel("lyon-b", 1, digest("artifact"), digest("hash")), Unused.BLOCKED)


def lyon(platform: Platform) -> Traffic:
    return platform.workspace.endpoints.standing(PROD)["LYON"]


def test_a_release_goes_its_way_and_every_step_twice_is_once(platform: Platform) -> None:
    endpoints = platform.workspace.endpoints
    assert endpoints.standing(PROD) == {}
    for _ in range(2):
        endpoints.serve(LYON, ONE)
    assert (lyon(platform).blue, lyon(platform).green, lyon(platform).revision) == (ONE, None, 1)
    for _ in range(2):
        endpoints.start(LYON, TWO, WATCH)
    assert (lyon(platform).green, lyon(platform).share, lyon(platform).watch) == (TWO, 0, WATCH)
    for share in (10, 10, 50):
        endpoints.shift(LYON, TWO, share)
    assert (lyon(platform).share, lyon(platform).revision) == (50, 4)
    for _ in range(2):
        endpoints.finish(LYON, TWO)
    assert lyon(platform) == Traffic(LYON, blue=TWO, watch=WATCH, revision=5)
    endpoints.start(LYON, TWO, WATCH)
    endpoints.stop(LYON)
    assert lyon(platform).revision == 5
    assert endpoints.standing(EnvironmentName.TEST) == {}


def test_everything_goes_back_to_blue(platform: Platform) -> None:
    endpoints = platform.workspace.endpoints
    endpoints.serve(LYON, ONE)
    endpoints.start(LYON, TWO, WATCH)
    endpoints.shift(LYON, TWO, 25)
    for _ in range(2):
        endpoints.stop(LYON)
    assert (lyon(platform).blue, lyon(platform).green, lyon(platform).share) == (ONE, None, 0)


def test_what_is_not_green_cannot_be_moved(platform: Platform) -> None:
    endpoints = platform.workspace.endpoints
    endpoints.serve(LYON, ONE)
    with pytest.raises(BadInput, match="is not green"):
        endpoints.shift(LYON, TWO, 10)
    endpoints.start(LYON, TWO, WATCH)
    with pytest.raises(BadInput, match="is not green"):
        endpoints.finish(LYON, THREE)
    with pytest.raises(BadInput, match="% of the traffic"):
        endpoints.shift(LYON, TWO, 101)
    assert lyon(platform).share == 0


def test_holds_survive_another_release_and_rollbacks_do_not(platform: Platform) -> None:
    endpoints = platform.workspace.endpoints
    with pytest.raises(BadInput, match="nothing serves"):
        endpoints.override(LYON, HELD)
    endpoints.serve(LYON, ONE)
    for override in (BLOCKED, HELD, HELD):
        endpoints.override(LYON, override)
    assert lyon(platform).overrides == (HELD, BLOCKED)
    endpoints.start(LYON, TWO, WATCH)
    assert lyon(platform).overrides == (HELD, BLOCKED)
    endpoints.finish(LYON, TWO)
    assert lyon(platform).overrides == (HELD,)
    for _ in range(2):
        endpoints.release_override(LYON, "a")
    assert lyon(platform).overrides == ()


def test_endpoints_do_not_touch_each_other(platform: Platform) -> None:
    endpoints = platform.workspace.endpoints
    endpoints.serve(LYON, ONE)
    endpoints.serve(PARIS, TWO)
    endpoints.start(PARIS, THREE, WATCH)
    assert (lyon(platform).blue, lyon(platform).green) == (ONE, None)
    assert list(endpoints.standing(PROD)) == ["LYON", "PARIS"]


def test_nothing_is_said_of_a_green_that_is_not_there(platform: Platform) -> None:
    endpoints = platform.workspace.endpoints
    endpoints.serve(LYON, ONE)
    assert endpoints.report(LYON, TWO) is None


def test_what_is_served_goes_on_without_a_gap_up_to_now_on_a_platform_without_servers(
    tmp_path: Path, clock: FixedClock
) -> None:
    endpoints = memory_platform({}, tmp_path, actor=ADA, clock=clock).workspace.endpoints
    assert endpoints.fared(PROD, NOON - HOUR) == {}
    endpoints.serve(LYON, ONE)
    (served,) = endpoints.fared(PROD, NOON - HOUR)["LYON"]
    assert (served.since, served.until, served.served.errors) == (NOON - HOUR, NOON, 0)
    assert endpoints.fared(PROD, NOON) == {}
    assert endpoints.fared(EnvironmentName.TEST, NOON - HOUR) == {}


# What servers of ours read; a platform that lives in one process has none

with_servers = pytest.mark.parametrize("platform", sorted(OPENERS.keys() - {"memory"}), indirect=True)


def rows(platform: Platform) -> LocalEndpoints:
    endpoints = platform.workspace.endpoints
    found = endpoints.rows if isinstance(endpoints, AzureEndpoints) else endpoints
    assert isinstance(found, LocalEndpoints)
    return found


def board(platform: Platform) -> LocalTrafficBoard:
    return LocalTrafficBoard(rows(platform), timedelta(seconds=60))


@with_servers
def test_servers_see_what_they_are_told_and_say_how_green_is(platform: Platform) -> None:
    servers, endpoints = board(platform), platform.workspace.endpoints
    assert servers.revision(PROD) == 0
    endpoints.serve(LYON, ONE)
    endpoints.start(LYON, TWO, WATCH)
    assert servers.revision(PROD) == 2
    assert servers.read(PROD).traffic == {"LYON": lyon(platform)}
    report = Report(ready=True, stopped=False, waited=timedelta(seconds=3), share=0, says="well")
    servers.note(LYON, TWO, report)
    assert endpoints.report(LYON, TWO) == servers.noted(LYON, TWO) == report
    assert endpoints.report(LYON, THREE) is None
    endpoints.start(LYON, THREE, WATCH)
    assert endpoints.report(LYON, TWO) is None


def said(since: datetime, until: datetime, server: str = "s1", **plants: Served) -> ServerStretch:
    return ServerStretch(server, since, until, plants)


@with_servers
def test_what_servers_say_of_how_they_serve_is_told_by_plant_in_the_order_of_time(platform: Platform) -> None:
    servers, endpoints = board(platform), platform.workspace.endpoints
    assert endpoints.fared(PROD, NOON - KEPT) == {}
    first, later = NOON - HOUR, NOON - HOUR / 2
    servers.beat(PROD, said(later, NOON, "s2", LYON=ASKED))
    servers.beat(PROD, said(first, first, LYON=Served(), PARIS=Served()))
    servers.beat(PROD, said(first, later, LYON=ASKED, PARIS=Served()))
    servers.beat(EnvironmentName.TEST, said(first, NOON, LYON=Served()))
    assert endpoints.fared(PROD, NOON - KEPT) == {
        "LYON": [Stretch(first, later, ASKED), Stretch(later, NOON, ASKED)],
        "PARIS": [Stretch(first, later)],
    }
    assert endpoints.fared(PROD, later) == {"LYON": [Stretch(later, NOON, ASKED)]}
    assert endpoints.fared(PROD, NOON) == {}


@with_servers
def test_what_servers_said_is_kept_for_days_and_not_for_ever(platform: Platform) -> None:
    servers, endpoints = board(platform), platform.workspace.endpoints
    old = NOON - KEPT - HOUR
    servers.beat(PROD, said(old, old, LYON=Served()))
    servers.beat(PROD, said(old + HOUR, old + HOUR, LYON=Served()))
    servers.beat(EnvironmentName.TEST, said(old, old, LYON=Served()))
    servers.beat(PROD, said(NOON, NOON, LYON=Served()))
    ever = old - HOUR
    assert [one.since for one in endpoints.fared(PROD, ever)["LYON"]] == [NOON - KEPT, NOON]
    assert list(endpoints.fared(EnvironmentName.TEST, ever)) == ["LYON"]


@with_servers
@pytest.mark.parametrize("change", ["share", "signature", "revision", "moved"])
def test_what_was_typed_into_the_table_is_told_to_nobody(platform: Platform, change: str) -> None:
    servers, endpoints = board(platform), platform.workspace.endpoints
    endpoints.serve(LYON, ONE)
    endpoints.start(LYON, TWO, WATCH)
    statements = {
        "share": "UPDATE traffic SET content = replace(content, '\"share\":0', '\"share\":100')",
        "signature": 'UPDATE traffic SET content = replace(content, \'"base64":"\', \'"base64":"AAAA\')',
        "revision": "UPDATE traffic SET revision = 99",
        "moved": "UPDATE traffic SET plant = 'PARIS'",
    }
    rows(platform).session.change(lambda connection: connection.exec_driver_sql(statements[change]))
    told = servers.read(PROD)
    assert told.traffic == {}
    assert list(told.refused) == ["PARIS" if change == "moved" else "LYON"]
    with pytest.raises(BadInput):
        endpoints.standing(PROD)
