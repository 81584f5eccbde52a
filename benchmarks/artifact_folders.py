"""Artifacts for fleets that nothing was trained for: as many files as a model has, so that looking costs as much."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fleetcast.domain.identity import Digest

FILES = (
    "MLmodel",
    "backtest.json",
    "metrics.json",
    "model.json",
    "python_env.yaml",
    "requirements.txt",
    "weights.safetensors",
)
BYTES = 100 * len(FILES)
"""Of each artifact."""


def write_artifacts(state: Path, digests: Iterable[Digest]) -> None:
    """Write the files of artifacts into a fleet's state; their content is nobody's."""
    content = b"." * (BYTES // len(FILES))
    for digest in digests:
        folder = state / "artifacts" / digest.hex[:2] / digest.hex
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            (folder / name).write_bytes(content)
