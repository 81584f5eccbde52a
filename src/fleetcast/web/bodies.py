"""What callers send: the shape of bodies and queries. A field that is not known is refused."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from fleetcast.domain.approval import Choice, RequestState, SubjectKind
from fleetcast.domain.given import LONGEST_LINE
from fleetcast.domain.people import Kind
from fleetcast.domain.place import EnvironmentName, Gate
from fleetcast.domain.role import Role

MOST_AT_ONCE = 500
"""Items of one page."""
GREATEST_NUMBER = 2_147_483_647
"""What both databases can hold as a number."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Line = Annotated[str, StringConstraints(max_length=LONGEST_LINE, pattern=r"^[^\x00-\x1f\x7f]*$")]
Number = Annotated[int, Field(ge=1, le=GREATEST_NUMBER, strict=True)]
SubjectDigest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Cursor = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=200,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="What `next` said on the page before; made for the same filters and order.",
    ),
]
Limit = Annotated[int, Field(ge=1, le=MOST_AT_ONCE, description="How many at most; a page may hold fewer.")]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NoQuery(_Asked):
    """Nothing is asked for in the query."""


class PageQuery(_Asked):
    """Which page of a list."""

    after: Cursor = None
    limit: Limit = 100


class RequestsQuery(PageQuery):
    """Which requests."""

    state: RequestState | None = None
    gate: Gate | None = None
    kind: SubjectKind | None = None
    name: Annotated[Name | None, Field(description="Of the model or environment.")] = None
    newest_first: bool = False


class ModelsQuery(PageQuery):
    """Which models."""

    plant_id: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")] = None


class VersionQuery(_Asked):
    """Which version of a model is shown in detail."""

    version: Annotated[
        int | None, Field(ge=1, le=GREATEST_NUMBER, description="The one in use if left out.")
    ] = None


class AlarmsQuery(_Asked):
    """Which alarms."""

    environment: EnvironmentName | None = None
    last: Annotated[
        int | None,
        Field(
            ge=1,
            le=10_000,
            description="The last so many that were raised, over or not, newest first. Left out: those that are open.",
        ),
    ] = None


class TakenAlarm(_Asked):
    """That somebody has an alarm in hand."""

    comment: Line = ""


class QuietAlarm(_Asked):
    """That nobody is told of an alarm for a while."""

    until: Annotated[AwareDatetime, Field(description="With its offset.")]


class AuditQuery(PageQuery):
    """Which entries of the audit log."""

    by: Annotated[Name | None, Field(description="Who acted.")] = None
    action: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=64,
            pattern=r"^[a-z._-]+$",
            description="`request.approved`, or `request` for all that begin so.",
        ),
    ] = None
    request_id: Annotated[int | None, Field(ge=1, le=GREATEST_NUMBER)] = None
    since: Annotated[AwareDatetime | None, Field(description="With its offset.")] = None
    until: Annotated[AwareDatetime | None, Field(description="Up to this moment, it left out.")] = None
    newest_first: bool = False


class DecidedRequest(_Asked):
    """A request that is decided on."""

    request_id: Number
    subject_digest: Annotated[
        SubjectDigest | None,
        Field(description="As it was shown; refused if it is another now. Needed for more than one request."),
    ] = None


class BegunLogin(_Asked):
    """A command line that asks to act for somebody."""

    from_: Annotated[
        str,
        Field(
            alias="from",
            min_length=1,
            max_length=200,
            pattern=r"^[^\x00-\x1f\x7f]+$",
            description="Where it runs; shown to whoever agrees.",
        ),
    ]


class AskedLogin(_Asked):
    """A command line that asks whether somebody has agreed."""

    device_code: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_-]+$")]


class NewDecision(_Asked):
    """One person's decision on one request or several, all or none."""

    choice: Choice
    requests: Annotated[list[DecidedRequest], Field(min_length=1, max_length=MOST_AT_ONCE)]
    comment: Annotated[Line, Field(description="Why; needed to reject and to break glass.")] = ""
    to: Annotated[Name | None, Field(description="Who decides instead; for `hand on` alone.")] = None


class NewGrant(_Asked):
    """A role at a place; what is left out holds for all."""

    role: Role
    gate: Gate | None = None
    environment: EnvironmentName | None = None
    plant_id: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")] = None


class AddedPerson(_Asked):
    """Somebody to put on record."""

    name: Name
    kind: Kind = Kind.HUMAN
    full_name: Annotated[Line, Field(max_length=200)] = ""
    aliases: Annotated[list[Name], Field(max_length=20)] = []
    groups: Annotated[list[Name], Field(max_length=50)] = []
    roles: Annotated[list[NewGrant], Field(max_length=50)] = []


class NamedPerson(_Asked):
    """Somebody on record."""

    name: Name


class NamedGrant(NewGrant):
    """A role of a person or a group."""

    name: Annotated[Name, Field(description="Of a person or a group.")]


class GroupMembers(_Asked):
    """A group with all of its members."""

    name: Name
    members: Annotated[list[Name], Field(max_length=1_000)]
