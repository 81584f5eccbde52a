"""Where the SDK's requests are known to differ from what is published, and why that is right."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.azure_oracle.exchanges import Finding
from tests.azure_oracle.schemas import Rule, Side


@dataclass(frozen=True, slots=True)
class Deviation:
    """One thing that may be wrong at one place of one operation."""

    operation: str
    where: str
    """As a finding says it; `*` is one part of it."""
    rule: Rule
    found: str
    """The value itself, as JSON."""
    why: str
    side: Side = Side.REQUEST

    def explains(self, finding: Finding) -> bool:
        place = r"[^/]+".join(re.escape(part) for part in self.where.split("*"))
        return (
            finding.operation == self.operation
            and finding.side is self.side
            and finding.wrong.rule is self.rule
            and finding.wrong.found == self.found
            and re.fullmatch(place, finding.wrong.where) is not None
        )

    def __str__(self) -> str:
        return f"{self.operation} ({self.side}) {self.where or '/'}: {self.rule}: {self.found}"


DEVIATIONS = (
    *(
        Deviation(
            operation,
            "/properties/properties/hash_version",
            Rule.TYPE,
            "202208",
            "the SDK writes the version of its hash as a number where texts are declared",
        )
        for operation in ("CodeVersions_CreateOrUpdate", "RegistryCodeVersions_CreateOrUpdate")
    ),
    Deviation(
        "Datastores_ListSecrets",
        "",
        Rule.BODY,
        '{"expirableSecret": true, "expireAfterHours": 1}',
        "sent with 2024-10-01-preview, which is not published; the version before it has no body here",
    ),
    Deviation(
        "RegistryModelVersions_CreateOrUpdate",
        "/properties/system_metadata",
        Rule.UNKNOWN,
        "null",
        "a field of the SDK's own that leaks; declared in no version",
    ),
    Deviation(
        "OnlineDeployments_CreateOrUpdate",
        "/properties/dataCollector/collections/*/dataCollectionMode",
        Rule.CASE,
        '"enabled"',
        "the SDK writes what the YAML file says; the service reads such values in any case",
    ),
    Deviation(
        "BatchEndpoints_CreateOrUpdate",
        "/properties/authMode",
        Rule.CASE,
        '"aadToken"',
        "the SDK writes it in camel case; the service reads such values in any case",
    ),
    Deviation(
        "Compute_CreateOrUpdate",
        "/identity/type",
        Rule.CASE,
        '"Systemassigned"',
        "the SDK writes it with one capital; the service reads such values in any case",
    ),
)
