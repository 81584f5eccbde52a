"""Every command and group of `fleetcast`, in the order of work: what its help lists without loading any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Listed:
    """One command or group in the list of all."""

    place: str
    """Where it is, as `package.module:attribute`: the function of a command, or the app of a group."""
    says: str
    """What it is for: the beginning of its own help, as far as a line is long."""


HEADINGS: Mapping[str, Mapping[str, Listed]] = {
    "Start": {
        "demo": Listed("fleetcast.cli.demo:demo", "Show everything once, on made-up data"),
        "init": Listed(
            "fleetcast.cli.repository:init", "Write a new fleet repository that validates as it is"
        ),
        "adopt": Listed("fleetcast.cli.adopt:adopt", "Take over circuits of another layout"),
        "validate": Listed("fleetcast.cli.repository:validate", "Check the whole fleet repository"),
        "setup": Listed("fleetcast.cli.setup:setup_app", "Make or repair what a fleet needs around it"),
        "doctor": Listed(
            "fleetcast.cli.doctor:doctor", "Look whether all around the fleet is as it should be"
        ),
        "dummy": Listed("fleetcast.cli.dummy:dummy_app", "Try the pipelines without a cloud"),
        "help": Listed("fleetcast.cli.help:show_help", "Show what a command is for and how it is typed"),
    },
    "Circuits and data": {
        "circuits": Listed(
            "fleetcast.cli.circuits:circuits_app", "List the declared circuits, add new ones, retire old ones"
        ),
        "bump": Listed("fleetcast.cli.circuits:bump", "Give many circuits a new cutoff or version"),
        "ingest": Listed("fleetcast.cli.data:ingest", "Store files of readings in the fleet's table"),
        "simulate": Listed("fleetcast.cli.data:simulate", "Make up a fleet's readings"),
        "data": Listed("fleetcast.cli.data:data_app", "Look at the readings that models are trained on"),
        "fmt": Listed("fleetcast.cli.repository:format_files", "Give the fleet's YAML files one form"),
    },
    "Train": {
        "plan": Listed("fleetcast.cli.plan:plan", "Show which models would train, and why"),
        "train": Listed("fleetcast.cli.train:train", "Train what the plan shows"),
        "stage": Listed("fleetcast.cli.train:stage", "Run one of the eight stages, as a CI stage does"),
        "runs": Listed("fleetcast.cli.train:runs_app", "Look at past and present runs of the pipeline"),
        "models": Listed(
            "fleetcast.cli.models:models_app", "Look at registered models, their metrics and their lineage"
        ),
        "families": Listed(
            "fleetcast.cli.families:families", "List the model families and their hyperparameters"
        ),
        "forecast": Listed("fleetcast.cli.forecast:forecast", "Forecast a circuit from its newest readings"),
        "reproduce": Listed(
            "fleetcast.cli.reproduce:reproduce", "Train a registered version again from its lineage"
        ),
        "fit": Listed("fleetcast.cli.fit:fit", "Train one circuit from files"),
        "run-batch": Listed("fleetcast.cli.run_batch:run_batch", "Train a batch of circuits from folders"),
    },
    "Approve": {
        "approvals": Listed(
            "fleetcast.cli.approvals:approvals_app", "See what waits for a decision, and the evidence"
        ),
        "approve": Listed("fleetcast.cli.approvals:approve", "Approve requests"),
        "reject": Listed("fleetcast.cli.approvals:reject", "Reject requests"),
    },
    "Release and serve": {
        "qa": Listed("fleetcast.cli.qa:qa_app", "Check what test serves, and sign it off for production"),
        "deploy": Listed(
            "fleetcast.cli.deploy:deploy", "Deploy what the fleet declares, as far as it is promoted"
        ),
        "releases": Listed("fleetcast.cli.releases:releases_app", "Look at releases"),
        "rollback": Listed("fleetcast.cli.rollback:rollback", "Have clients answered by what served before"),
        "hold": Listed(
            "fleetcast.cli.rollback:hold", "Have one circuit forecast by something simpler for a time"
        ),
        "unblock": Listed(
            "fleetcast.cli.rollback:unblock", "Let a version be used again that was rolled back"
        ),
        "serve": Listed("fleetcast.cli.serve:serve", "Serve the forecasts of an environment"),
        "endpoints": Listed(
            "fleetcast.cli.endpoints:endpoints_app", "Make the keys by which clients ask an endpoint"
        ),
        "score": Listed("fleetcast.cli.score:score", "Forecast the fleet by its live releases"),
        "up": Listed("fleetcast.cli.up:up", "Run what a fleet needs all the time"),
    },
    "Watch": {
        "status": Listed("fleetcast.cli.status:status", "Show how the fleet stands"),
        "monitor": Listed("fleetcast.cli.monitor:monitor", "Look at what is deployed, and update the alarms"),
        "alarms": Listed("fleetcast.cli.alarms:alarms_app", "See alarms, take them in hand, or snooze them"),
        "diagnose": Listed("fleetcast.cli.diagnose:diagnose", "Rank what may be wrong"),
        "propose": Listed(
            "fleetcast.cli.propose:propose", "Propose retraining the circuits that would gain by it"
        ),
        "explain-forecast": Listed("fleetcast.cli.score:explain_forecast", "Trace a published forecast"),
        "affected": Listed("fleetcast.cli.score:affected", "Find what came of a version of the readings"),
        "notifications": Listed("fleetcast.cli.notifications:notifications_app", "Tell people what happened"),
        "schedules": Listed(
            "fleetcast.cli.schedules:schedules_app",
            "See what starts by itself and what came of it, or start it",
        ),
    },
    "People": {
        "login": Listed("fleetcast.cli.login:login", "Sign in"),
        "logout": Listed("fleetcast.cli.login:logout", "End the login"),
        "whoami": Listed("fleetcast.cli.people:whoami", "Show in whose name commands act here"),
        "people": Listed("fleetcast.cli.people:people_app", "People, groups and roles"),
        "token": Listed("fleetcast.cli.token:token_app", "Tokens, by which programs act for people"),
        "web": Listed("fleetcast.cli.web:web", "Serve pages to sign in and decide, and the HTTP API"),
    },
    "Administration": {
        "audit": Listed("fleetcast.cli.audit:audit_app", "The append-only log of every change"),
        "keys": Listed("fleetcast.cli.keys:keys_app", "Look after the key that signs"),
        "database": Listed("fleetcast.cli.database:database_app", "Look after the control database"),
        "clean": Listed(
            "fleetcast.cli.clean:clean", "Show what is old and not needed; with --apply, remove it"
        ),
        "update-template": Listed(
            "fleetcast.cli.repository:update_template", "Bring the pipelines of a fleet up to date"
        ),
    },
}
"""What people look for, and below each heading what they type, in the order of `fleetcast --help`."""

COMMANDS: Mapping[str, Listed] = {
    name: listed for commands in HEADINGS.values() for name, listed in commands.items()
}
