"""Environments, components and data assets: registered once, never changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetcast.domain.assets import AssetKind, VersionTaken
from fleetcast.domain.quality import LeftOut
from fleetcast.ports.platform import Platform
from tests.contracts.samples import data_asset, environment


def test_a_version_is_found_once_registered(platform: Platform) -> None:
    assert platform.workspace.assets.find(AssetKind.ENVIRONMENT, "training", "1.0.0") is None
    registered = platform.workspace.assets.register(environment())
    assert registered.asset == environment()
    assert platform.workspace.assets.find(AssetKind.ENVIRONMENT, "training", "1.0.0") == registered


def test_registering_the_same_content_again_changes_nothing(platform: Platform) -> None:
    first = platform.workspace.assets.register(environment())
    before = list(platform.control.audit.entries())
    assert platform.workspace.assets.register(environment()) == first
    assert list(platform.control.audit.entries()) == before


def test_other_content_under_a_registered_version_names_both_digests(platform: Platform) -> None:
    held = platform.workspace.assets.register(environment(content="numpy>=2")).asset
    offered = environment(content="numpy>=3")
    with pytest.raises(VersionTaken) as caught:
        platform.workspace.assets.register(offered)
    assert str(held.digest) in str(caught.value)
    assert str(offered.digest) in str(caught.value)
    assert "bump the version" in caught.value.fix
    found = platform.workspace.assets.find(AssetKind.ENVIRONMENT, "training", "1.0.0")
    assert found is not None
    assert found.asset == held


def test_versions_are_listed_in_the_order_they_came(platform: Platform) -> None:
    for version in ("1.0.0", "1.1.0", "2.0.0"):
        platform.workspace.assets.register(environment(version))
    listed = platform.workspace.assets.versions(AssetKind.ENVIRONMENT, "training")
    assert [held.asset.version for held in listed] == ["1.0.0", "1.1.0", "2.0.0"]


def test_a_component_may_have_the_name_and_version_of_an_environment(platform: Platform) -> None:
    asset = environment()
    platform.workspace.assets.register(asset)
    platform.workspace.assets.register(replace(asset, kind=AssetKind.COMPONENT))
    assert len(platform.workspace.assets.versions(AssetKind.COMPONENT, "training")) == 1
    assert len(platform.workspace.assets.versions(AssetKind.ENVIRONMENT, "training")) == 1


def test_data_assets_are_held_by_their_digest(platform: Platform) -> None:
    one, two = data_asset("one"), data_asset("two")
    platform.workspace.data.register([one])
    assert platform.workspace.data.held([one.digest, two.digest]) == {one.digest: one}


def test_a_held_data_asset_is_left_as_it_is(platform: Platform) -> None:
    one, two = data_asset("one"), data_asset("two")
    platform.workspace.data.register([one])
    platform.workspace.data.register([replace(one, rows=1), two])
    assert platform.workspace.data.held([one.digest, two.digest]) == {one.digest: one, two.digest: two}


def test_registering_no_data_assets_is_fine(platform: Platform) -> None:
    platform.workspace.data.register([])
    assert platform.workspace.data.held([]) == {}
    assert list(platform.control.audit.entries()) == []


def test_assets_with_sensors_left_out_are_found_among_all(platform: Platform) -> None:
    whole, other = data_asset("one"), data_asset("two")
    verdict = replace(other.verdict, left_out=(LeftOut("pressure", 'it says "left_out":[] and is stuck'),))
    partial = replace(other, verdict=verdict)
    platform.workspace.data.register([whole, partial])
    assert list(platform.workspace.data.partial()) == [partial]
