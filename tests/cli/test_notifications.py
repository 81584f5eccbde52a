"""`fleetcast notifications`: delivering, looking, trying again and taking care, as people type it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from fleetcast.app import open_books
from fleetcast.cli.main import run
from fleetcast.domain.audit import AuditEvent
from fleetcast.domain.happened import channel_enabled
from fleetcast.ports.outbox import Change
from tests.fleets import small_fleet
from tests.servers.mail import mail_server

CHANNELS = """
notifications:
  channels: [{name: runs, kind: azure-devops}, {name: pager, kind: apprise, url: '${env:NO_SUCH_PAGER}'}]
  digest: {wait: 1s}
"""
PAGE = AuditEvent("alarm.raised", "alarm 1", {"kind": "endpoint down", "environment": "prod", "plant": "P1"})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fleet with two channels, as in a run of Azure Pipelines."""
    directory = small_fleet(tmp_path, family="seasonal_naive").opened.directory
    settings = directory / "fleetcast.yaml"
    settings.write_text(settings.read_text() + CHANNELS)
    monkeypatch.setenv("TF_BUILD", "True")
    monkeypatch.setenv("AGENT_TEMPDIRECTORY", str(tmp_path))
    monkeypatch.delenv("NO_SUCH_PAGER", raising=False)
    return directory


def typed(folder: Path, words: Sequence[str]) -> int:
    return run(["notifications", *words, "--fleet", str(folder)])


def happened(folder: Path, *events: AuditEvent) -> None:
    open_books(folder).control.outbox.keep(Change(events=events))


def test_a_page_is_delivered_listed_and_taken_care_of(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(folder, ["list"]) == 0
    assert "nothing was told" in capsys.readouterr().out
    assert typed(folder, ["deliver"]) == 0
    assert capsys.readouterr().out == "nothing to send\n"
    happened(folder, PAGE)
    assert typed(folder, ["deliver"]) == 0
    done = capsys.readouterr()
    assert done.out.splitlines() == [
        "1 new notice",
        "runs: 1 message sent",
        "pager: the environment variable NO_SUCH_PAGER is not set",
    ]
    assert "endpoint down: P1" in done.err
    assert typed(folder, ["list"]) == 0
    page, failing, waiting, sent = capsys.readouterr().out.splitlines()
    assert page.startswith("page 1 since ")
    assert failing.startswith("channel pager fails, and is tried again at ")
    assert waiting.endswith(
        "pager  waiting: the environment variable NO_SUCH_PAGER is not set  endpoint down: P1"
    )
    assert sent.endswith("runs  sent  endpoint down: P1")
    assert typed(folder, ["ack", "1"]) == 0
    assert "takes care of page 1: endpoint down: P1" in capsys.readouterr().out
    assert typed(folder, ["ack", "1"]) == 1
    assert "taken care of already" in capsys.readouterr().err


def test_programs_read_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed(folder, ["deliver"])
    happened(folder, PAGE)
    capsys.readouterr()
    assert typed(folder, ["deliver", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "new_notices": 1,
        "too_old": 0,
        "unreadable": None,
        "channels": [
            {"channel": "runs", "sent": 1, "trouble": None},
            {"channel": "pager", "sent": 0, "trouble": "the environment variable NO_SUCH_PAGER is not set"},
        ],
    }
    assert typed(folder, ["list", "--format", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [page["title"] for page in listed["pages"]] == ["endpoint down: P1"]
    assert [(one["channel"], one["state"], one["tries"]) for one in listed["waiting"] + listed["ended"]] == [
        ("pager", "waiting", 1),
        ("runs", "sent", 1),
    ]
    assert {channel["channel"]: channel["failures"] for channel in listed["channels"]} == {
        "pager": 1,
        "runs": 0,
    }


def test_trying_again_names_what_can_be_tried(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed(folder, ["deliver"])
    happened(folder, PAGE)
    typed(folder, ["deliver"])
    capsys.readouterr()
    for words, says in [
        (["retry"], "nothing is named"),
        (["retry", "99"], "there is no letter 99"),
        (["retry", "1"], "letter 1 is"),
        (["retry", "--channel", "nobody"], "known are runs, pager"),
        (["ack", "7"], "there is no page 7"),
    ]:
        assert typed(folder, words) == 1
        assert says in capsys.readouterr().err
    assert typed(folder, ["retry", "--channel", "pager"]) == 0
    assert open_books(folder).control.outbox.channels()["pager"].failures == 0


def test_a_channel_is_tested(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed(folder, ["test", "runs"]) == 0
    done = capsys.readouterr()
    assert done.out == "runs took the message\n"
    assert typed(folder, ["test", "pager"]) == 1
    assert "NO_SUCH_PAGER is not set" in capsys.readouterr().err
    assert typed(folder, ["test", "nobody"]) == 1
    assert "known are runs, pager" in capsys.readouterr().err


def test_what_needs_telling_does_not_slow_a_fleet_without_channels(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = folder / "fleetcast.yaml"
    settings.write_text(settings.read_text().replace(CHANNELS, ""))
    happened(folder, channel_enabled("x"))
    assert typed(folder, ["deliver"]) == 0
    assert capsys.readouterr().out == "nothing to send\n"
    assert open_books(folder).control.outbox.told() is None


def test_a_mail_goes_to_a_private_network_only_where_that_is_allowed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = folder / "fleetcast.yaml"
    with mail_server() as box:
        mail = f"host: 127.0.0.1, port: {box.port}, security: none, from: fleet@example.com, to: [ada@example.com]"
        written = settings.read_text().replace(CHANNELS, "")
        written += f"\nnotifications:\n  channels: [{{name: duty, kind: email, {mail}}}]\n"
        settings.write_text(written)
        assert typed(folder, ["test", "duty"]) == 1
        assert "add its network to `notifications.allowed_networks`" in capsys.readouterr().err
        settings.write_text(f"{written}  allowed_networks: [127.0.0.1/32]\n")
        assert typed(folder, ["test", "duty"]) == 0
    (came,) = box.mails
    assert came["To"] == "ada@example.com"


def test_without_the_library_of_templates_it_says_what_to_install(folder: Path) -> None:
    program = (
        "import sys; sys.modules['jinja2'] = None\n"
        "from fleetcast.cli.main import main\n"
        f"sys.argv = ['fleetcast', 'notifications', 'test', 'runs', '--fleet', {str(folder)!r}]\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'fleetcast[notifications]'" in done.stderr
    assert "Traceback" not in done.stderr
