"""The run of Azure Pipelines that fleetcast works in: its log, and its summary."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from typing import TextIO

from fleetcast.domain.ci import Ci, ci_of
from fleetcast.ports.channels import Delivery, Message, Sent, TryLater, Words

_FOLDER = "AGENT_TEMPDIRECTORY"
"""Emptied after each job."""


class AzureDevOpsRun:
    """The agent, which reads what this process writes."""

    def __init__(self, environ: Mapping[str, str], words: Words, out: TextIO) -> None:
        self._environ, self._words, self._out = environ, words, out

    def send(self, message: Message) -> Delivery:
        """Show what went wrong as errors and warnings of the run, and all of it on its page."""
        if ci_of(self._environ) is not Ci.AZURE_DEVOPS:
            return TryLater(
                "this process runs on no agent of Azure Pipelines: it is told by a pipeline that runs "
                "`fleetcast notifications deliver`"
            )
        try:
            opened, path = tempfile.mkstemp(".md", "fleetcast-notice-", self._environ.get(_FOLDER) or None)
            with os.fdopen(opened, "w", encoding="utf-8") as file:
                file.write(self._words.markdown(message))
            for line in self._words.agent_lines(message, path):
                self._out.write(line + "\n")
            self._out.flush()
        except OSError as error:
            return TryLater(f"the agent cannot be told: {error.strerror or 'its output is closed'}")
        return Sent()
