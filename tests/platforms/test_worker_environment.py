"""What a training job finds in its environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetcast.domain.settings import (
    DATABASE_URL_VARIABLE,
    OIDC_SECRET_VARIABLE,
    SIGNING_KEY_VARIABLE,
    PlatformSettings,
)
from fleetcast.platforms.local.platform import local_platform
from tests.clocks import FixedClock
from tests.contracts.samples import ADA, component, job, readings
from tests.contracts.test_jobs import frozen, seen_through


def test_a_job_has_the_environment_of_now_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = local_platform(tmp_path, {}, PlatformSettings(workers=1), actor=ADA, clock=FixedClock())
    shown = tmp_path / "shown"
    script = tmp_path / "print.sh"
    script.write_text(f"env > {shown}\nexit 1\n")
    printing = component(f"sh {script}")
    rows = frozen(platform, readings())
    try:
        for moment in ("first", "second"):  # the fork server keeps the environment of the first
            monkeypatch.setenv("MOMENT", moment)
            monkeypatch.setenv(DATABASE_URL_VARIABLE, "postgresql://u:sesame-sesame@h/d")
            monkeypatch.setenv("PGPASSWORD", "sesame-sesame")
            monkeypatch.setenv(SIGNING_KEY_VARIABLE, "sesame-sesame")
            monkeypatch.setenv(OIDC_SECRET_VARIABLE, "sesame-sesame")
            attempt = job(rows, printing, name=moment)
            platform.workspace.jobs.submit([attempt], printing)
            seen_through(platform, attempt)
            said = shown.read_text()
            assert f"MOMENT={moment}\n" in said
            assert "sesame" not in said
            platform.workspace.jobs.close()
    finally:
        platform.workspace.jobs.close()
