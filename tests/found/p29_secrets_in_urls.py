"""A password or token in an address reaches no error, no artifact and no report."""

from __future__ import annotations

from tests.found.story import Story

_SECRET = "hunter2hunter2"  # noqa: S105  # made up

LONG = "it waits for databases and servers that are not there"


def tell(story: Story) -> None:
    """Addresses with secrets where files, folders, servers and databases are named."""
    fleet = story.fleet(days=0)
    address = f"http://ana:{_SECRET}@historian.example/readings.csv?token={_SECRET}&sig={_SECRET}"
    url = f"postgresql://ana:{_SECRET}/x@127.0.0.1:1/fleet"
    for words, environment in (
        (("ingest", address, "--plant", "PLANT001", "--circuit", "CIRCUIT01"), {}),
        (("plan", "--base", address), {}),
        (("approve", address), {}),
        (("forecast", address), {}),
        (("database", "restore", address), {}),
        (("web", "--public-url", address), {}),
        (("plan",), {"FLEETCAST_DATABASE_URL": url}),
        (("plan",), {"FLEETCAST_DATABASE_URL": f"mysql://u:{_SECRET}@h/x"}),
        (("status",), {"FLEETCAST_URL": f"https://ana:{_SECRET}@fleet.example"}),
        (("train",), {"FLEETCAST_DATABASE_URL": url}),
    ):
        said = fleet.type(*words, environment=environment)
        story.expect("it is refused", holds=said.code in (1, 64), saw=said.code)
        story.expect("no secret is said", holds=_SECRET not in said.text)
    settings = (fleet.folder / "fleetcast.yaml").read_text(encoding="utf-8")
    (fleet.folder / "fleetcast.yaml").write_text(f"{settings}\nodd: '{address}'\n", encoding="utf-8")
    said = fleet.type("validate")
    story.expect("settings with mistakes are refused", holds=said.code == 1, saw=said.code)
    story.expect("no secret is said", holds=_SECRET not in said.text)
    (fleet.folder / "fleetcast.yaml").write_text(
        settings.replace("platform:", f"platform:\n  storage: '{address}'", 1), encoding="utf-8"
    )
    said = fleet.type("validate")
    story.expect("a value that cannot be taken is refused", holds=said.code == 1, saw=said.code)
    story.expect("no secret is said", holds=_SECRET not in said.text)
    kept = [
        path for path in fleet.state.rglob("*") if path.is_file() and _SECRET.encode() in path.read_bytes()
    ]
    story.expect("no secret is kept", holds=not kept, saw=[path.name for path in kept])
