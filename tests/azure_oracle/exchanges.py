"""Holds one exchange against the operation that it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tests.azure_emulator.exchange import Exchange
from tests.azure_oracle.operations import Match, Operation, Parameter
from tests.azure_oracle.schemas import Rule, Schemas, Side, Wrong, check_scalar, shown
from tests.azure_oracle.specs import Json, Node, Specs

API_VERSION = "api-version"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with one side of one exchange."""

    operation: str
    side: Side
    wrong: Wrong

    def __str__(self) -> str:
        return f"{self.operation} ({self.side}) {self.wrong}"


class Standing(StrEnum):
    """What is known of an exchange."""

    DESCRIBED = "described"
    UNDESCRIBED = "known, but not published"
    ELSEWHERE = "on another plane"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Checked:
    """One exchange, with all that was found."""

    name: str
    """The operation's id; without one: the method and the path's pattern."""
    standing: Standing
    findings: tuple[Finding, ...] = ()
    why: str = ""
    """What an exchange of no operation is, or why it is none."""


@dataclass(frozen=True, slots=True)
class Check:
    """Checks exchanges whose operation is known."""

    specs: Specs
    much_unsaid: bool = False
    """Whether a list is answered as its `count` and its `value`, nothing as 204, and so on (Azure DevOps)."""
    errors: Json | None = None
    """What an error is where that is not declared: as the answer of an operation says it."""

    def __call__(self, exchange: Exchange, match: Match) -> Checked:
        operation = match.operation
        sides: tuple[tuple[Side, Iterable[Wrong]], ...] = (
            (Side.REQUEST, self._request(exchange, match)),
            (Side.RESPONSE, self._response(exchange, operation)),
        )
        findings = tuple(Finding(operation.id, side, wrong) for side, found in sides for wrong in found)
        return Checked(operation.id, Standing.DESCRIBED, findings)

    def _request(self, exchange: Exchange, match: Match) -> Iterator[Wrong]:
        operation = match.operation
        yield from parameters_wrong("path", operation.sent_in("path"), match.values)
        yield from parameters_wrong("query", operation.sent_in("query"), exchange.query)
        body = operation.body
        if body is None:
            if exchange.request is not None:
                yield Wrong("", Rule.BODY, "no body", shown(exchange.request))
        elif exchange.request is not None:
            yield from self._schemas(Side.REQUEST).check(
                exchange.request, self.specs.node(body.document, body.schema)
            )
        elif body.required:
            yield Wrong("", Rule.MISSING, "a body", "none")

    def _response(self, exchange: Exchange, operation: Operation) -> Iterator[Wrong]:
        responses = operation.content["responses"]
        declared = self._declared(responses, exchange.status)
        if declared is None:
            yield Wrong("status", Rule.STATUS, ", ".join(sorted(responses)), str(exchange.status))
        elif "schema" not in declared:
            if exchange.response is not None:
                yield Wrong("", Rule.BODY, "no body", shown(exchange.response))
        elif exchange.response is None:
            yield Wrong("", Rule.MISSING, "a body", "none")
        else:
            node = self.specs.node(operation.document, declared["schema"])
            yield from self._answer(exchange.response, node)

    def _declared(self, responses: Json, status: int) -> Json | None:
        """What is said of an answer; None: there should be none such."""
        declared: Json | None = responses.get(str(status))
        if declared is None and status >= 400:
            declared = responses.get("default", self.errors)
        if (
            declared is None
            and status == 204
            and self.much_unsaid
            and "schema" not in responses.get("200", ())
        ):
            declared = responses.get("200")
        return declared

    def _answer(self, answer: object, node: Node) -> Iterator[Wrong]:
        if self.much_unsaid and node.schema.get("type") == "array":
            properties = {"count": {"type": "integer"}, "value": node.schema}
            node = Node(
                node.document, {"type": "object", "required": ["count", "value"], "properties": properties}
            )
        yield from self._schemas(Side.RESPONSE).check(answer, node)

    def _schemas(self, side: Side) -> Schemas:
        return Schemas(self.specs, side, self.much_unsaid)


def parameters_wrong(
    place: str, declared: Mapping[str, Parameter], sent: Mapping[str, str]
) -> Iterator[Wrong]:
    """What does not fit of the texts in a query or a path."""
    for name, text in sent.items():
        if name not in declared:
            yield Wrong(f"{place}:{name}", Rule.PARAMETER, ", ".join(sorted(declared)), shown(text))
        elif name != API_VERSION:
            yield from _text_wrong(text, declared[name], f"{place}:{name}")
    for name, parameter in declared.items():
        if parameter.required and name not in sent:
            yield Wrong(f"{place}:{name}", Rule.MISSING, "it", ", ".join(sorted(sent)) or "nothing")


def _text_wrong(text: str, parameter: Parameter, at: str) -> Iterator[Wrong]:
    schema = parameter.schema
    value: object = text
    match schema["type"]:
        case "array":
            for each in text.split(","):
                yield from check_scalar(each, schema.get("items", {}), at)
            return
        case "integer" if re.fullmatch(r"-?\d+", text):
            value = int(text)
        case "number" if re.fullmatch(r"-?\d+(\.\d+)?", text):
            value = float(text)
        case "boolean" if text.casefold() in {"true", "false"}:
            return
        case "string":
            pass
        case kind:
            yield Wrong(at, Rule.TYPE, str(kind), shown(text))
            return
    yield from check_scalar(value, schema, at)
