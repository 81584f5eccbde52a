"""A checkout that git refuses to read is no fleet without a commit."""

from __future__ import annotations

from tests.found.story import Story

NOBODY = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}


def tell(story: Story) -> None:
    """The checkout belongs to another user, as on many CI agents; then its index is torn."""
    fleet = story.fleet()
    for words in (
        ("init", "-q"),
        ("add", "."),
        ("-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "A"),
    ):
        story.run(["git", *words], cwd=fleet.folder, environment=NOBODY)
    trained = fleet.type("train", environment={**NOBODY, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
    story.expect("training is refused", holds=trained.code == 1, saw=trained.code)
    story.says(trained, "dubious ownership", "git config --global --add safe.directory")
    (fleet.folder / ".git" / "index").write_bytes(b"DIRC")
    trained = fleet.type("train", environment=NOBODY)
    story.expect("a torn index is not taken for a clean fleet", holds=trained.code == 1, saw=trained.code)
