"""A fleet below a folder of any name reads its own table, and no path leaves the fleet by its spelling."""

from __future__ import annotations

from tests.found.story import Story

LONG = "it goes the whole way from readings to a forecast, in an odd folder"
ODD = "a b/ü#%20[x]"
SETTINGS = "fleetcast.yaml"


def tell(story: Story) -> None:
    """The whole way from readings to a forecast, below a folder whose name is hard to spell."""
    fleet = story.fleet(f"{ODD}/fleet")
    fleet.type("data", "show", code=0)
    fleet.promote()
    forecast = fleet.type("forecast", "PLANT001/CIRCUIT01")
    story.expect("the model forecasts", holds=forecast.code == 0, saw=forecast.code)
    tops = sorted(path.name for path in story.folder.iterdir())
    story.expect("nothing is written beside the folder", holds=tops == ["a b"], saw=tops)
    below = sorted(path.name for path in (story.folder / "a b").iterdir())
    story.expect("nor in one whose name is half read", holds=below == ["ü#%20[x]"], saw=below)

    fleet.edit(SETTINGS, "path: .fleetcast/readings", "path: '%2e%2e/elsewhere'")
    said = fleet.type("validate")
    story.expect("a path with encoded dots is refused", holds=said.code == 1, saw=said.code)
    story.says(said, "'%2e%2e/elsewhere' hides where it leads")
