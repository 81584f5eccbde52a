"""Holds exchanges with Azure DevOps against what is published of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from tests.azure_emulator.exchange import Exchange
from tests.azure_oracle.exchanges import API_VERSION, Check, Checked, Finding, Standing
from tests.azure_oracle.operations import Match, Operation, Operations
from tests.azure_oracle.schemas import Rule, Side, Wrong
from tests.azure_oracle.specs import ANYTHING, DEVOPS, Json, Specs

_LINK: Json = {"type": "object", "properties": {"href": {"type": "string"}}}
WRITTEN_OTHERWISE: Mapping[str, Json] = {
    # The published ones tell of the .NET classes, which have converters of their own.
    "JObject": ANYTHING,
    "JToken": ANYTHING,
    "JContainer": ANYTHING,
    "PropertiesCollection": ANYTHING,
    "JsonPatchDocument": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["op", "path"],
            "properties": {
                "op": {"type": "string", "enum": ["add", "remove", "replace", "move", "copy", "test"]},
                "path": {"type": "string"},
                "from": {"type": "string"},
                "value": ANYTHING,
            },
        },
    },
    "VssJsonCollectionWrapper": {
        "type": "object",
        "properties": {"count": {"type": "integer"}, "value": {"type": "array", "items": ANYTHING}},
    },
    "ReferenceLinks": {"type": "object", "additionalProperties": _LINK},
}
TOLD_BY = {
    # Else it could also be a generic one, which takes any settings. In small letters.
    "ApprovalCheckConfiguration": ("type", "id", "8c6f20a7-a545-4486-9777-f762fafe0d4d"),
    "TaskCheckConfiguration": ("type", "id", "fe1de3ee-a436-41b4-bb20-f6eb4cb879a7"),
}
_ERROR: Json = {
    # Not published: what Azure DevOps makes of each of its exceptions.
    "type": "object",
    "required": ["message"],
    "properties": {
        "$id": {"type": "string"},
        "innerException": ANYTHING,
        "message": {"type": "string"},
        "typeName": {"type": "string"},
        "typeKey": {"type": "string"},
        "errorCode": {"type": "integer"},
        "eventId": {"type": "integer"},
    },
}
_VERSION = re.compile(r"(\d+\.\d+)(-preview(?:\.\d+)?)?")


def version_of(operation: Operation) -> str:
    """The api-version that an operation is asked with: 7.1, or 7.1-preview.2."""
    preview = operation.sent_in("query")[API_VERSION].reference.removeprefix("api-Version")
    return operation.version.removesuffix("-preview") + preview


@dataclass(frozen=True, slots=True)
class DevOpsOracle:
    """Knows the published operations of the areas that are at hand."""

    operations: Operations

    def check(self, exchange: Exchange) -> Checked:
        """What is wrong with an exchange; one of which nothing is published is wrong too."""
        name = f"{exchange.method} https://{exchange.host}{exchange.path}"
        asked = exchange.query.get(API_VERSION, "")
        version = _VERSION.fullmatch(asked)
        files = {version[1], f"{version[1]}-preview"} if version else set()
        if version is None or not files & self.operations.versions:
            expected = ", ".join(sorted(self.operations.versions))
            wrong = Wrong(f"query:{API_VERSION}", Rule.VERSION, expected, asked or "none")
            return Checked(name, Standing.UNKNOWN, (Finding(name, Side.REQUEST, wrong),), str(wrong))
        asked_for = (exchange.method, exchange.path)
        found = (self.operations.find(*asked_for, each, exchange.query) for each in sorted(files))
        match = min(filter(None, found), key=lambda each: each.rank, default=None)
        if match is None:
            return Checked(name, Standing.UNKNOWN, why=f"{version[1]} has no such operation")
        host = self.operations.specs.document(match.operation.document)["host"]
        if exchange.host != host:
            return Checked(name, Standing.UNKNOWN, why=f"{match.operation.id} is at {host}")
        return self._checked(exchange, match, version[2] or "")

    def _checked(self, exchange: Exchange, match: Match, preview: str) -> Checked:
        operation = match.operation
        check = Check(self.operations.specs, much_unsaid=True, errors={"schema": _ERROR})
        found = check(exchange, match)
        wants = version_of(operation)
        if "-preview" in wants and preview not in {"-preview", wants[wants.index("-preview") :]}:
            # It refuses a preview under the version alone.
            wrong = Wrong(f"query:{API_VERSION}", Rule.VERSION, wants, exchange.query[API_VERSION])
            return replace(found, findings=(Finding(operation.id, Side.REQUEST, wrong), *found.findings))
        return found


@cache
def devops_oracle() -> DevOpsOracle:
    """All of it, read once."""
    return DevOpsOracle(Operations(Specs(DEVOPS, WRITTEN_OTHERWISE, TOLD_BY)))


def check_devops(exchange: Exchange) -> Checked:
    """What is wrong with an exchange with Azure DevOps."""
    return devops_oracle().check(exchange)
