"""What holds for all tests."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run slow tests after the fast ones, so that most mistakes show at once."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)
