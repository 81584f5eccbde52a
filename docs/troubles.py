"""What people see when something is stuck, why, and what to type: a table of REFERENCE.md.

A test holds that each quoted text occurs in the source, and that each command is one that fleetcast takes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trouble:
    """One symptom."""

    seen: str
    """In the words of whoever sees it."""
    why: str
    type: tuple[str, ...]
    """Commands, first the one that looks."""
    quotes: tuple[str, ...] = ()
    """What the program says then, as far as it is always the same."""


TROUBLES = (
    Trouble(
        "`train` or a pipeline ends with 3, again and again",
        "People have to approve, and too few have: what the environment of the CI lets through does not count"
        " in fleetcast. "
        "A request whose subject changed is void, one that nobody decided in time has lapsed; the next run asks anew",
        ("fleetcast approvals list", "fleetcast approvals list --all", "fleetcast train"),
        ("awaiting approval",),
    ),
    Trouble(
        "It awaits approval, and nobody sees a request",
        "They look at another database than the run (another FLEETCAST_DATABASE_URL, or none), or may not "
        "decide at that gate",
        ("fleetcast database show", "fleetcast whoami", "fleetcast approvals list"),
    ),
    Trouble(
        "I approved, and the request still waits",
        "More must approve, or the vote does not count: one's own commit or version, an account that is not "
        "signed in, a role or "
        "group that one lacks. The request says what is missing",
        ("fleetcast approvals show 1", "fleetcast whoami"),
    ),
    Trouble(
        "`plan` says train though nothing changed",
        "Something did: the reason names the fields, also those inherited from a plant or the fleet. "
        "`new circuit` says that no version of this name is registered: look whether it is another database",
        ("fleetcast plan --all", "fleetcast plan --base main", "fleetcast database show"),
        ("new circuit",),
    ),
    Trouble(
        "A circuit is `blocked`: its data",
        "The version of the table, the sensors or the window are unfit; the reason says which. No attempt is made",
        ("fleetcast data quality", "fleetcast validate --data", "fleetcast data versions"),
        ("history too short: have", "no readings in the training window", "no sensor is fit to train on"),
    ),
    Trouble(
        "A circuit is `blocked`: it failed",
        "It is parked: three attempts ended in the same way on the same inputs",
        ("fleetcast runs show run-0001", "fleetcast runs logs JOB", "fleetcast train --retry-failed"),
        ("in the same way: ",),
    ),
    Trouble(
        "A circuit is `blocked`: its version was rejected or rolled back",
        "What is declared would give the same version again; it needs another configuration, or to be unblocked",
        (
            "fleetcast models show PLANT001/CIRCUIT01",
            "fleetcast unblock plant001-circuit01:2 --reason 'it was the sensor'",
        ),
        ("; change its configuration or raise `revision`",),
    ),
    Trouble(
        "Still running after an hour; or exit 4",
        "A run waits for its jobs as long as `polling.longest` says (3 h), then ends with 4; nothing is lost, "
        "and jobs in Azure go on. They may wait for a machine: Azure ML Studio says so",
        ("fleetcast runs show run-0001", "fleetcast train"),
        ("jobs are still running; run `fleetcast train` to go on watching them",),
    ),
    Trouble(
        "Another run is in progress, and I see none",
        "A process on another machine works, or died: then its lease ends after `platform.lease` (60 s), and "
        "the next one goes on",
        ("fleetcast runs list", "fleetcast train --lock-timeout 10min"),
        ("another run is in progress: ",),
    ),
    Trouble(
        "My run was taken over",
        "It stood still for longer than its lease (a paused machine, a debugger), and has written nothing since",
        ("fleetcast train",),
        ("another run took over while this one stood still: ",),
    ),
    Trouble(
        "The registry says 404, or what was shared is not there",
        "A copy to the registry of Azure shows late: it is waited for, and then asked for again by the next run. "
        "Else the registry has another name than `registry` in fleetcast.yaml",
        ("fleetcast train", "fleetcast validate"),
        ("was shared but is not visible in the registry after", "Azure knows no "),
    ),
    Trouble(
        "`Azure does not let this identity ask`",
        "Nobody is signed in, or a token ended. What was done stays: the same command goes on",
        ("az login", "fleetcast train"),
        ("Azure does not let this identity ask for ",),
    ),
    Trouble(
        "`Azure refuses`, with a role in the fix",
        "This identity is signed in and lacks the role there. A role that was just given takes some minutes to hold",
        ("az role assignment list --all --assignee ID",),
        ("Azure refuses ", "AzureML Data Scientist"),
    ),
    Trouble(
        "The container refuses",
        "The identity lacks a role on the container. Being the owner of a storage account lets nobody read its blobs",
        ("az role assignment list --all --assignee ID",),
        ("Storage Blob Data Contributor",),
    ),
    Trouble(
        "`Azure does not answer`",
        "This machine does not reach it: a proxy, a private authority, or a private endpoint from outside of "
        "its network (SETUP.md)",
        ("env | grep -i -e proxy -e CA_BUNDLE -e SSL_CERT",),
        ("Azure does not answer about ",),
    ),
    Trouble(
        "The endpoint is busy",
        "Azure changes one thing of an endpoint at a time. It is waited for, for five minutes; then the same "
        "command goes on",
        ("fleetcast deploy status", "fleetcast deploy --step"),
        ("or is busy with it: ",),
    ),
    Trouble(
        "No machines left",
        "The quota of this family of machines, or the region, is used up. Asking again changes nothing",
        ("az vm list-usage --location westeurope --output table",),
        ("Azure has no machines left for ",),
    ),
    Trouble(
        "An asset is registered as something else",
        "Its content changed under the same version, here or by somebody else in the workspace",
        ("fleetcast validate --base main", "fleetcast plan"),
        ("is registered as ",),
    ),
    Trouble(
        "`deploy` is refused because of the branch",
        "Test is changed from release/*, production from main (BRANCHING.md)",
        ("git switch release/1.0",),
        ("is changed from ",),
    ),
    Trouble(
        "A rollout was rolled back",
        "Green did worse than it may, said too little for too long, or its container never was ready",
        ("fleetcast deploy status", "fleetcast releases list"),
    ),
    Trouble(
        "The control database is older or newer than this fleetcast",
        "Two versions of fleetcast use one database. Upgrade it once, and then every machine",
        ("fleetcast database show", "fleetcast database upgrade"),
        ("this fleetcast needs ", "this fleetcast knows no newer one than "),
    ),
    Trouble(
        "The audit log cannot be believed",
        "Machines that share the database sign with different keys, or somebody changed rows from outside",
        ("fleetcast audit verify", "fleetcast keys show"),
        ("the audit log cannot be believed: ",),
    ),
)
