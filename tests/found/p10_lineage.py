"""A model's commit is the one that holds the circuits it was trained for."""

from __future__ import annotations

from tests.found.story import Story


def tell(story: Story) -> None:
    """A second circuit stands in a file that git was never told of."""
    fleet = story.fleet(circuits=2)
    git = ("git", "-c", "user.name=ada", "-c", "user.email=ada@plant.example")
    fleet.edit("config/circuits.yaml", "\n      CIRCUIT02: {}", "")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "A fleet of one circuit")):
        story.run([*git, *words], cwd=fleet.folder)
    more = fleet.folder / "config" / "circuits" / "more.yaml"
    more.parent.mkdir(exist_ok=True)
    more.write_text("plants:\n  PLANT001:\n    circuits:\n      CIRCUIT02: {}\n", encoding="utf-8")
    fleet.type("validate", code=0)
    fleet.type("train", "--circuits", "PLANT001/CIRCUIT02", code=3)
    runs = fleet.type("runs", "list", "--format", "json").json
    story.expect(
        "the run says that the commit is not all of it",
        holds=runs[0]["commit"].endswith("+changes"),
        saw=runs[0]["commit"],
    )
