"""One byte of a model altered after its approval: nothing is deployed, and what serves goes on."""

from __future__ import annotations

from tests.found.story import Story

ON_RELEASE = {"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/heads/release/1"}


def tell(story: Story) -> None:
    """A model is promoted and its deployment approved; then its weights change on the disk."""
    fleet = story.fleet(circuits=2)
    fleet.promote()
    fleet.type("deploy", "test", code=3, environment=ON_RELEASE)
    fleet.approve_all()
    weights = min((fleet.state / "artifacts").rglob("weights.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    print("\nin the artifacts: one byte of the weights flipped, after both approvals")

    refused = fleet.type("deploy", "test", environment=ON_RELEASE)
    story.expect("deploy refuses", holds=refused.code == 1, saw=refused.code)
    story.says(refused, "nothing was deployed", "cannot be served")
    status = fleet.type("deploy", "status", "--format", "json").json
    story.expect(
        "no server was told anything", holds=status.get("endpoints") == [], saw=status.get("endpoints")
    )

    content[-1] ^= 1
    weights.write_bytes(content)
    print("\nin the artifacts: the byte is what it was")
    again = fleet.type("deploy", "test", environment=ON_RELEASE)
    story.expect("with its files restored it is deployed", holds=again.code == 0, saw=again.code)
