"""What the SDK shows of jobs when they are over."""

from __future__ import annotations

from pathlib import Path

import pytest
from azure.ai.ml import MLClient, Output
from azure.ai.ml.exceptions import JobException

from tests.azure_emulator.conftest import unknown
from tests.azure_emulator.emulator import AzureEmulator
from tests.azure_emulator.submitted import a_command, until

pytestmark = [
    # The SDK's own libraries will take away what it uses.
    pytest.mark.filterwarnings("ignore::marshmallow.warnings.RemovedInMarshmallow4Warning"),
    pytest.mark.filterwarnings("ignore:content_as_bytes is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The use of a 'BlobProperties' instance:DeprecationWarning"),
]


def test_logs_and_outputs_are_downloaded(fleet: MLClient, tmp_path: Path) -> None:
    job = a_command(
        "echo said; echo made > ${{outputs.there}}/a", outputs={"there": Output(type="uri_folder")}
    )
    made = fleet.jobs.create_or_update(job)
    until(fleet, made.name)

    fleet.jobs.download(made.name, download_path=tmp_path / "down", all=True)

    assert (tmp_path / "down/artifacts/user_logs/std_log.txt").read_text() == "said\n"
    assert (tmp_path / "down/named-outputs/there/a").read_text() == "made\n"


def test_a_job_is_archived_and_shown_again(fleet: MLClient, emulator: AzureEmulator) -> None:
    begin, made = len(emulator.exchanges()), fleet.jobs.create_or_update(a_command("true"))
    until(fleet, made.name)
    fleet.jobs.archive(made.name)
    assert made.name not in {job.name for job in fleet.jobs.list()}

    fleet.jobs.restore(made.name)

    assert made.name in {job.name for job in fleet.jobs.list()}
    assert unknown(emulator, begin) == []


def test_a_log_is_shown_of_a_job_that_has_failed(fleet: MLClient) -> None:
    made = fleet.jobs.create_or_update(a_command("exit 7"))
    until(fleet, made.name)

    with pytest.raises(JobException, match="exit code 7"):
        fleet.jobs.stream(made.name)


def test_jobs_are_found_by_their_tags(fleet: MLClient, emulator: AzureEmulator) -> None:
    names = [fleet.jobs.create_or_update(a_command("true", tags={"batch": "b1"})).name for _ in range(3)]
    other = fleet.jobs.create_or_update(a_command("true", tags={"batch": "b2"})).name

    found = [job.name for job in fleet.jobs.list(tag="batch=b1")]

    assert found == names[::-1]
    assert other in {job.name for job in fleet.jobs.list()}
