"""Who wrote the commits of a fleet repository, as far as git says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from fleetcast.domain.commit import Writer
from fleetcast.domain.identity import CircuitKey
from fleetcast.platforms.git.repository import GitRefuses, asked_of_git

_HASH_LENGTHS = (40, 64)
_LONGEST = 200


class GitWriters:
    """Who last changed files, by the history of one commit; nobody where the fleet is not as that commit holds it."""

    def __init__(
        self,
        directory: Path,
        commit: str,
        *,
        settings: str,
        environment: str,
        circuit: Callable[[CircuitKey], Sequence[str]],
    ) -> None:
        """Choose a history.

        Args:
            directory: The fleet repository.
            commit: As `commit_of` gives it.
            settings: The file of the settings, as a path below the directory.
            environment: That of the training environment.
            circuit: Those of a circuit.
        """
        self._directory = directory
        self._commit = commit
        self._settings = settings
        self._environment = environment
        self._circuit = circuit
        self._known: dict[str, frozenset[Writer]] = {}

    def of_settings(self) -> tuple[Writer, ...]:
        """Of the settings of the fleet."""
        return self._of([self._settings])

    def of_environment(self) -> tuple[Writer, ...]:
        """Of the training environment."""
        return self._of([self._environment])

    def of_circuit(self, key: CircuitKey) -> tuple[Writer, ...]:
        """Of a circuit."""
        return self._of(self._circuit(key))

    def _of(self, files: Sequence[str]) -> tuple[Writer, ...]:
        if len(self._commit) not in _HASH_LENGTHS:  # uncommitted, or with changes
            return ()
        each = [self._of_file(file) for file in files]
        return tuple(sorted(frozenset[Writer]().union(*each))) if all(each) else ()

    def _of_file(self, file: str) -> frozenset[Writer]:
        if file not in self._known:
            self._known[file] = writers_of(self._directory, self._commit, file)
        return self._known[file]


def writers_of(directory: Path, commit: str, file: str) -> frozenset[Writer]:
    """Author and committer of the commit that last changed a file; of what was merged, those of each side too.

    Empty where git does not know: the file comes through a link, or its history was cut off before that commit.

    Args:
        directory: The fleet repository.
        commit: From where to look back.
        file: As a path below the directory.

    Raises:
        GitRefuses: Git cannot or will not read the repository.
    """
    if any((directory / part).is_symlink() for part in (Path(file), *Path(file).parents) if part.name):
        return frozenset()
    cut_off = _cut_off(directory)
    found: set[Writer] = set()
    seen: set[str] = set()
    starts = [commit]
    while starts:
        said = asked_of_git(
            directory,
            "--no-replace-objects",
            "-c",
            "log.follow=false",
            "log",
            "-1",
            "--no-show-signature",
            "--encoding=UTF-8",
            "--format=%H%n%P%n%an%n%ae%n%cn%n%ce%n.",
            starts.pop(),
            "--",
            f":(literal){file}",
        )
        if not said:  # one side of a merge never had it
            continue
        last, parents, *names, _ = said.split("\n")
        if last in cut_off or len(names) != 4:
            return frozenset()
        if last not in seen:
            seen.add(last)
            author, email, committer, their_email = map(_shown, names)
            found |= {Writer(author, email), Writer(committer, their_email)}
            merged = parents.split()
            starts += merged if len(merged) > 1 else []
    return frozenset(found)


def _shown(text: str) -> str:
    """A name as it can be kept and shown: git takes any bytes, of any length."""
    plain = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"


def _cut_off(directory: Path) -> frozenset[str]:
    """The commits before which a shallow clone has no history: they seem to have written every file."""
    where = asked_of_git(directory, "rev-parse", "--git-path", "shallow")
    try:
        return frozenset((directory / where).read_text().split()) if where else frozenset()
    except FileNotFoundError:
        return frozenset()
    except OSError as error:
        raise GitRefuses(directory, f"{where} cannot be read: {error.strerror}") from error
