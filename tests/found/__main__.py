"""Tell the stories: `python -m tests.found [--base REV] [NUMBER or NAME …]`; exits 1 where one ends wrong."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from tests.found.story import Story, StoryEnded

ROOT = Path(__file__).parents[2]


def names() -> list[str]:
    """Every story, in the order of their numbers: `p01_folder_names`."""
    return sorted(path.stem for path in Path(__file__).parent.glob("p[0-9][0-9]_*.py"))


def tell(name: str, sources: Path) -> list[str]:
    """Tell one story about these sources, and say what did not come out as it should."""
    chapter = import_module(f"tests.found.{name}")
    print(f"\n━━ {name[1:3]} · {(chapter.__doc__ or name).splitlines()[0]}", flush=True)
    with tempfile.TemporaryDirectory(prefix="found-") as folder:
        story = Story(Path(folder).resolve(), sources)
        try:
            chapter.tell(story)
        except StoryEnded as end:
            told = str(end)
        except Exception as error:  # noqa: BLE001  # an earlier version may leave anything behind; the others are told
            told = f"{type(error).__name__}: {error}"
        else:
            return story.wrong
    print(f"✗ the story cannot go on: {told}", flush=True)
    return [*story.wrong, f"the story came to its end ({told})"]


@contextmanager
def sources_of(revision: str | None) -> Iterator[Path]:
    """The sources of the working tree, or those of a commit in a temporary folder."""
    if revision is None:
        yield ROOT / "src"
        return
    with tempfile.TemporaryDirectory(prefix="found-base-") as folder:
        tree = Path(folder) / "fleetcast"
        subprocess.run(
            ["git", "worktree", "add", "--quiet", "--detach", tree, revision], check=True, cwd=ROOT
        )
        try:
            yield tree / "src"
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", tree], check=True, cwd=ROOT)


def main() -> int:
    """Tell them all, or those that are named by number."""
    parser = argparse.ArgumentParser(prog="python -m tests.found", description=__doc__)
    parser.add_argument("--base", metavar="REV", help="tell them about the sources of this commit instead")
    parser.add_argument(
        "stories", nargs="*", help="which ones, such as 1 12 or p01_examples; all if left out"
    )
    chosen = parser.parse_args()
    wanted = {f"{int(one):02d}" if one.isdecimal() else one for one in chosen.stories}
    known = names()
    if unknown := wanted - {*known, *(name[1:3] for name in known)}:
        parser.error(f"there is no story {', '.join(sorted(unknown))}, only {', '.join(known)}")
    stories = [name for name in known if not wanted or {name, name[1:3]} & wanted]
    with sources_of(chosen.base or None) as sources:
        ended = {name: tell(name, sources) for name in stories}
    print(f"\n━━ {len(ended)} stories" + (f" about {chosen.base}" if chosen.base else ""))
    for name, wrong in ended.items():
        print(f"{'✗' if wrong else '✓'} {name}" + "".join(f"\n    not as expected: {one}" for one in wrong))
    failed = sum(map(bool, ended.values()))
    print(f"━━ {failed} of {len(ended)} did not end as they should" if failed else "━━ All as expected")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
