"""Pipelines of CI that start by themselves: at the times that `schedules` in `fleetcast.yaml` says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from fleetcast.domain.ci import Ci
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.schedule import Duty, command_of, duties
from fleetcast.domain.settings import Routine, Schedule

MONITORING: Mapping[Ci, str] = {
    Ci.AZURE_DEVOPS: "monitoring-pipeline.yml",
    Ci.GITHUB: "monitoring.yml",
}
"""Written where something but training is scheduled."""
_ABOUT = (
    "# Runs what `schedules` in fleetcast.yaml says, for fleets without a machine that runs `fleetcast up`: one of\n"
    "# the two is enough.\n# After a change of `schedules`, run `fleetcast update-template`.\n"
)
_AZURE = """\
trigger: none
pr: none

schedules:
{schedules}
variables:
{groups}
pool:
  vmImage: ubuntu-latest

jobs:
{jobs}"""
_AZURE_JOB = """\
  - job: {job}
    condition: >-
      and(succeeded(), or(ne(variables['Build.Reason'], 'Schedule'),
      eq(variables['Build.CronSchedule.DisplayName'], '{cron}')))
    steps:
      - template: steps/run.yml
        parameters:
          connection: mlops-{environment}
          command: fleetcast {command}
"""
_GITHUB = """\
name: monitoring

on:
  schedule:
{schedules}
  workflow_dispatch:

permissions:
  contents: read
  id-token: write                         # workload identity federation: there is no password to keep

env:
  AZURE_TENANT_ID: ${{{{ vars.AZURE_TENANT_ID }}}}
  AZURE_SUBSCRIPTION_ID: ${{{{ vars.AZURE_SUBSCRIPTION_ID }}}}
  FLEETCAST_DATABASE_URL: ${{{{ secrets.FLEETCAST_DATABASE_URL }}}}
  FLEETCAST_SIGNING_KEY: ${{{{ secrets.FLEETCAST_SIGNING_KEY }}}}

jobs:
{jobs}"""
_GITHUB_JOB = """\
  {job}:
    if: github.event_name != 'schedule' || github.event.schedule == '{cron}'
    runs-on: ubuntu-latest
    concurrency: {job}
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
      - uses: ./.github/actions/fleetcast
        with:
          client-id: ${{{{ vars.{client}_CLIENT_ID }}}}
          command: fleetcast {command}
"""


def monitoring_pipeline(ci: Ci, schedules: Mapping[Routine, Schedule]) -> str | None:
    """The pipeline of all that is scheduled but training; None where there is nothing."""
    found = [duty for duty in duties(schedules) if duty.routine is not Routine.TRAIN]
    if not found:
        return None
    crons = _crons(found)
    if ci is Ci.GITHUB:
        jobs = "\n".join(_github_job(duty) for duty in found)
        return _ABOUT + _GITHUB.format(schedules=_github_schedules(crons), jobs=jobs)
    environments = dict.fromkeys(_place(duty) for duty in found)
    groups = ["mlops-shared-variables", "mlops-pipeline-settings"]
    groups += [f"mlops-{environment}-variables" for environment in environments]
    return _ABOUT + _AZURE.format(
        schedules="".join(_azure_schedule(cron, "main") for cron in crons),
        groups="".join(f"  - group: {group}\n" for group in groups),
        jobs="\n".join(_azure_job(duty) for duty in found),
    )


def training_schedule(ci: Ci, schedules: Mapping[Routine, Schedule]) -> str:
    """What stands in the training pipeline below its trigger, so that it starts by itself; empty if it does not."""
    schedule = schedules.get(Routine.TRAIN)
    if schedule is None:
        return ""
    if ci is Ci.GITHUB:
        return f"\n  schedule:                               # of the default branch\n    - cron: '{schedule.cron}'"
    return "\n\nschedules:\n" + _azure_schedule(schedule.cron, "develop").rstrip("\n")


def _crons(found: Sequence[Duty]) -> Sequence[str]:
    return [cron for cron, _ in groupby(sorted(duty.cron for duty in found))]


def _azure_schedule(cron: str, branch: str) -> str:
    """The name is by what jobs know which of them started the pipeline; nothing has to have changed."""
    return (
        f"  - cron: '{cron}'\n    displayName: '{cron}'\n"
        f"    branches:\n      include: [{branch}]\n    always: true\n"
    )


def _github_schedules(crons: Sequence[str]) -> str:
    return "\n".join(f"    - cron: '{cron}'" for cron in crons)


def _place(duty: Duty) -> EnvironmentName:
    """Whose service connection it acts by: what is done for the fleet is done in dev."""
    return duty.environment or EnvironmentName.DEV


def _command(duty: Duty) -> str:
    patience = () if duty.routine is Routine.PLAN else ("--lock-timeout", "30min")
    return " ".join((*command_of(duty), *patience))


def _azure_job(duty: Duty) -> str:
    return _AZURE_JOB.format(
        job=duty.name.replace(" ", "_"),
        cron=duty.cron,
        environment=_place(duty),
        command=_command(duty),
    )


def _github_job(duty: Duty) -> str:
    return _GITHUB_JOB.format(
        job=duty.name.replace(" ", "-"),
        cron=duty.cron,
        client=_place(duty).upper(),
        command=_command(duty),
    )
