"""`fleetcast keys`, as it is typed."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import pytest

from fleetcast.cli.main import run
from fleetcast.config.settings_reader import load_settings
from fleetcast.domain.settings import SIGNING_KEY_VARIABLE
from fleetcast.domain.signing_key import TrustedKey
from fleetcast.platforms.signing.ed25519 import private_pem
from tests.signing import private, public

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "fleetcast"


def test_showing_makes_the_first_key_and_shows_the_same_from_then_on(state: Path, capsys: Output) -> None:
    assert run(["keys", "show", "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["source"], shown["place"]) == ("embedded", str(state / "signing.key"))
    assert shown["earlier_keys"] == []
    assert run(["keys", "show"]) == 0
    text = capsys.readouterr().out
    assert text == (
        f"key:           {shown['key_id']}\n"
        f"public key:    {shown['public_key']}\n"
        f"comes from:    {state / 'signing.key'}, made by fleetcast for this user\n"
    )


def test_a_key_in_the_environment_is_shown_by_its_public_part_alone(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv(SIGNING_KEY_VARIABLE, b64encode(bytes([1] * 32)).decode())
    assert run(["keys", "show"]) == 0
    said = capsys.readouterr().out
    assert public(1).base64 in said
    assert f"the environment variable {SIGNING_KEY_VARIABLE}" in said
    assert b64encode(bytes([1] * 32)).decode() not in said
    assert not state.exists()


def test_a_key_in_a_file_is_shown_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    (tmp_path / "mine.pem").write_bytes(private_pem(private(1)))
    (tmp_path / "mine.pem").chmod(0o600)
    monkeypatch.setenv(SIGNING_KEY_VARIABLE, f"file:{tmp_path / 'mine.pem'}")
    assert run(["keys", "show"]) == 0
    assert f"the file {tmp_path / 'mine.pem'}\n" in capsys.readouterr().out


def test_rotating_says_what_other_machines_need_and_that_is_valid(tmp_path: Path, capsys: Output) -> None:
    assert run(["keys", "rotate"]) == 1
    assert "`fleetcast keys show` makes the first one" in capsys.readouterr().err
    run(["keys", "show", "--format", "json"])
    before = json.loads(capsys.readouterr().out)
    assert run(["keys", "rotate"]) == 0
    said = capsys.readouterr().out
    run(["keys", "show", "--format", "json"])
    after = json.loads(capsys.readouterr().out)
    assert f"{after['key_id']} signs from now on, in place of {before['key_id']}\n" in said
    assert after["earlier_keys"] == [{"key_id": before["key_id"], "public_key": before["public_key"]}]

    lines = [line.removeprefix("    ") for line in said.splitlines() if line.startswith("    ")]
    (tmp_path / "fleetcast.yaml").write_text("\n".join(lines))
    trusted = load_settings(tmp_path).signing.trusted
    assert [key.public.base64 for key in trusted] == [before["public_key"], after["public_key"]]
    assert trusted == tuple(TrustedKey(key.public) for key in trusted)


def test_rotating_for_programs(capsys: Output) -> None:
    run(["keys", "show", "--format", "json"])
    before = json.loads(capsys.readouterr().out)
    assert run(["keys", "rotate", "--format", "json"]) == 0
    rotated = json.loads(capsys.readouterr().out)
    assert rotated["replaced"] == {"key_id": before["key_id"], "public_key": before["public_key"]}
    assert rotated["key_id"] != before["key_id"]


def test_a_key_that_is_given_is_not_rotated(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setenv(SIGNING_KEY_VARIABLE, private_pem(private(1)).decode())
    assert run(["keys", "rotate"]) == 1
    said = capsys.readouterr().err
    assert "is not fleetcast's to replace" in said
    assert "BEGIN" not in said


def test_a_key_that_others_can_read_is_refused_with_what_to_do(state: Path, capsys: Output) -> None:
    run(["keys", "show"])
    (state / "signing.key").chmod(0o644)
    capsys.readouterr()
    assert run(["keys", "show"]) == 1
    assert f"fix: chmod 0600 {state / 'signing.key'}" in capsys.readouterr().err
