"""Environments, components and data assets: registered once, never changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetcast.domain.assets import AssetKind, VersionTaken
from fleetcast.ports.platform import Platform
from tests.contracts.samples import data_asset, environment


def test_a_version_is_found_once_registered(platform: Platform) -> None:
    assert platform.assets.find(AssetKind.ENVIRONMENT, "training", "1.0.0") is None
    registered = platform.assets.register(environment())
    assert registered.asset == environment()
    assert platform.assets.find(AssetKind.ENVIRONMENT, "training", "1.0.0") == registered


def test_registering_the_same_content_again_changes_nothing(platform: Platform) -> None:
    first = platform.assets.register(environment())
    before = platform.audit.entries()
    assert platform.assets.register(environment()) == first
    assert platform.audit.entries() == before


def test_other_content_under_a_registered_version_names_both_digests(platform: Platform) -> None:
    held = platform.assets.register(environment(content="numpy>=2")).asset
    offered = environment(content="numpy>=3")
    with pytest.raises(VersionTaken) as caught:
        platform.assets.register(offered)
    assert str(held.digest) in str(caught.value)
    assert str(offered.digest) in str(caught.value)
    assert "bump the version" in caught.value.fix
    found = platform.assets.find(AssetKind.ENVIRONMENT, "training", "1.0.0")
    assert found is not None
    assert found.asset == held


def test_versions_are_listed_in_the_order_they_came(platform: Platform) -> None:
    for version in ("1.0.0", "1.1.0", "2.0.0"):
        platform.assets.register(environment(version))
    listed = platform.assets.versions(AssetKind.ENVIRONMENT, "training")
    assert [held.asset.version for held in listed] == ["1.0.0", "1.1.0", "2.0.0"]


def test_a_component_may_have_the_name_and_version_of_an_environment(platform: Platform) -> None:
    asset = environment()
    platform.assets.register(asset)
    platform.assets.register(replace(asset, kind=AssetKind.COMPONENT))
    assert len(platform.assets.versions(AssetKind.COMPONENT, "training")) == 1
    assert len(platform.assets.versions(AssetKind.ENVIRONMENT, "training")) == 1


def test_data_assets_are_held_by_their_digest(platform: Platform) -> None:
    one, two = data_asset("one"), data_asset("two")
    platform.data.register([one])
    assert platform.data.held([one.digest, two.digest]) == {one.digest: one}


def test_a_held_data_asset_is_left_as_it_is(platform: Platform) -> None:
    one, two = data_asset("one"), data_asset("two")
    platform.data.register([one])
    platform.data.register([replace(one, rows=1), two])
    assert platform.data.held([one.digest, two.digest]) == {one.digest: one, two.digest: two}


def test_registering_no_data_assets_is_fine(platform: Platform) -> None:
    platform.data.register([])
    assert platform.data.held([]) == {}
    assert platform.audit.entries() == []
