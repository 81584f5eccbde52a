"""What a library says of its own variables and commands reaches nobody: ours comes first, and says what to do."""

from __future__ import annotations

from tests.found.story import Story

_THEIRS = (
    "TMPDIR",
    "No usable temporary",
    "RUST_",
    "SSL_CERT",
    "AZURE_",
    "AWS_",
    "sqlalche.me",
    "Errno",
    "os error",
)


def tell(story: Story) -> None:
    """No folder for temporary files, a table that is none, a database that does not answer, a damaged file."""
    fleet = story.fleet(days=20)
    odd = story.folder / "odd.parquet"
    odd.write_bytes(b"PAR1 but no table PAR1")
    said = [
        fleet.type(
            "ingest",
            str(odd),
            "--plant",
            "PLANT001",
            "--circuit",
            "CIRCUIT01",
        ),
        fleet.type("plan", environment={"FLEETCAST_DATABASE_URL": "postgresql://u:p@127.0.0.1:1/fleet"}),
        fleet.type(
            "plan", environment={"FLEETCAST_DATABASE_URL": "postgresql://u:p@127.0.0.1:1/f?sslmode=x"}
        ),
        fleet.type(
            "plan",
            environment={
                "FLEETCAST_DATABASE_URL": f"postgresql://u:p@h.invalid/f?sslmode=require&sslrootcert={odd}"
            },
        ),
    ]
    log = fleet.state / "readings" / "_delta_log" / "00000000000000000000.json"
    log.chmod(0o600)
    log.write_text("{this is no log\n")
    said.append(fleet.type("plan"))
    for one in said:
        story.expect("it is refused", holds=one.code == 1, saw=one.code)
        story.expect("ours comes first", holds=one.err.startswith("error: "), saw=one.err[:60])
        story.expect("with what to do", holds="  fix: " in one.err)
        theirs = [word for word in _THEIRS if word in one.text]
        story.expect("no words of a library's own", holds=not theirs, saw=theirs)
