"""What nobody foresaw, such as a damaged library, is one line, a report without secrets, and exit code 1."""

from __future__ import annotations

import stat

from tests.found.story import Story

_SECRET = "hunter2-hunter2"  # noqa: S105  # made up


def tell(story: Story) -> None:
    """A library of the installation is damaged, and raises what it must not, with a secret in its text."""
    fleet = story.fleet(days=20)
    damaged = story.folder / "damaged"
    damaged.mkdir()
    (damaged / "deltalake.py").write_text(
        "import os\nraise KeyError('lost at https://u:' + os.environ['HISTORIAN_TOKEN'] + '@h')\n"
    )
    environment = {
        "PYTHONPATH": f"{damaged}:{story.sources}",
        "HISTORIAN_TOKEN": _SECRET,
        "XDG_STATE_HOME": str(story.folder / "state"),
    }
    reports = fleet.state / "reports"
    for number, words in enumerate(
        (("plan",), ("train",), ("ingest", "x.csv", "--plant", "P", "--circuit", "C"))
    ):
        said = fleet.type(*words, environment=environment)
        story.expect("it ends with 1", holds=said.code == 1, saw=said.code)
        kept = sorted(reports.glob("*.txt")) if reports.is_dir() else []
        story.expect("one more report is kept", holds=len(kept) == number + 1, saw=len(kept))
        story.says(said, "error: something that fleetcast did not foresee: KeyError at ", "fix: ")
        story.expect("one error and one fix", holds=len(said.err.splitlines()) == 2, saw=said.err.count("\n"))
        story.expect("no secret is said", holds=_SECRET not in said.text)
        for path in kept:
            text, mode = path.read_text(), stat.S_IMODE(path.stat().st_mode)
            story.expect("the report is its owner's alone", holds=mode == 0o600, saw=oct(mode))
            story.expect("and holds the way it took", holds="Traceback" in text and "deltalake.py" in text)
            story.expect("and no secret", holds=_SECRET not in text)
