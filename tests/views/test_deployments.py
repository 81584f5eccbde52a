"""What is said of endpoints that nobody answers for yet."""

from __future__ import annotations

import pytest

from fleetcast.domain.settings import PlatformKind, PlatformSettings, Settings
from fleetcast.views.deployments import silence_in_words


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (
            PlatformKind.LOCAL,
            "no server has said anything of prod/A, prod/B yet: is `fleetcast serve prod` running?",
        ),
        (
            PlatformKind.AZUREML,
            "no container has said anything of prod/A, prod/B yet: Azure takes some minutes to start one",
        ),
    ],
)
def test_silence_is_explained_by_what_has_to_run_there(kind: PlatformKind, says: str) -> None:
    assert silence_in_words(["prod/A", "prod/B"], Settings(platform=PlatformSettings(kind=kind))) == says
