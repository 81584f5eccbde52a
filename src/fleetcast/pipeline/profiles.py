"""What is normal for a circuit, learnt once for each deployed version, and kept for the looks to come.

A profile is kept with a digest of all that it was learnt from: the training rows by their fingerprint, how the circuit
is declared and looked at, and the code that learns. What differs in any of them is learnt anew.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_type_hints

import numpy as np
import numpy.typing as npt

from fleetcast.domain.canonical import digest_of, plain
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest
from fleetcast.forecasting import resampling
from fleetcast.pipeline import signals
from fleetcast.pipeline.signals.observing import Learnt
from fleetcast.pipeline.signals.watched import Published, WatchedCircuit, Window
from fleetcast.ports.learnt import LearntProfiles

Learn = Callable[[WatchedCircuit, datetime], Learnt]
"""Learns what is normal from a circuit's reference; as `signals.observing.learn`."""
_LENGTH = struct.Struct("<Q")
_MICROSECOND = timedelta(microseconds=1)


@cache
def _code() -> str:
    """Of the code that learns and that writes it down, and of the library that computes."""
    files = [Path(__file__), Path(str(resampling.__file__))]
    files += [file for folder in signals.__path__ for file in sorted(Path(folder).glob("*.py"))]
    digest = sha256(np.__version__.encode())
    for file in files:
        digest.update(sha256(file.read_bytes()).digest())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Profiles:
    """What is normal for circuits, from the last look or learnt now."""

    kept: LearntProfiles
    learn: Learn
    code: str = field(default_factory=_code)
    """Of what learns: what other code learnt is learnt anew."""

    def known(self, circuit: WatchedCircuit, fingerprint: Digest) -> Learnt | None:
        """What was learnt from the rows with a fingerprint; None: nothing is kept of that.

        Args:
            circuit: With anything as its reference.
            fingerprint: Of the rows that are its reference.
        """
        content = self.kept.load(circuit.environment, circuit.key, self._source(circuit, fingerprint))
        if content is None:
            return None
        try:
            return unpacked(content)
        except BadInput:
            return None

    def learnt(self, circuit: WatchedCircuit, fingerprint: Digest | None, now: datetime) -> Learnt:
        """Learn what is normal, and keep it if it is known of which rows it is, and none of them is still to come.

        Args:
            circuit: With its reference.
            fingerprint: Of these rows; None: unknown.
            now: Aware UTC; readings after it are not believed.
        """
        # Nothing but what `_source` tells apart may come into it.
        found = self.learn(_as_declared(circuit), now)
        if fingerprint is not None and circuit.data_end is not None and circuit.data_end <= now:
            self.kept.keep(
                circuit.environment, circuit.key, self._source(circuit, fingerprint), packed(found)
            )
        return found

    def _source(self, circuit: WatchedCircuit, fingerprint: Digest) -> Digest:
        """Of all that a profile is learnt from."""
        return digest_of(
            {
                "code": self.code,
                "rows": fingerprint.hex,
                "circuit": str(circuit.key),
                "environment": circuit.environment.value,
                "model": circuit.model,
                "frequency": plain(circuit.frequency),
                "sensors": plain(circuit.sensors),
                "settings": plain(circuit.settings),
                "limits": plain(circuit.limits),
                "data_end": plain(circuit.data_end),
                "window": plain(circuit.window),
            }
        )


def _as_declared(circuit: WatchedCircuit) -> WatchedCircuit:
    """A circuit with its reference, without what differs from look to look."""
    return WatchedCircuit(
        key=circuit.key,
        environment=circuit.environment,
        model=circuit.model,
        frequency=circuit.frequency,
        sensors=circuit.sensors,
        reference=circuit.reference,
        current=Window.empty(circuit.sensors),
        settings=circuit.settings,
        published=Published.nothing(),
        limits=circuit.limits,
        data_end=circuit.data_end,
        window=circuit.window,
    )


# Written down: a JSON head that says what there is, then the bytes of all arrays. No code is run to read it.


def packed(learnt: Learnt) -> bytes:
    """A profile as bytes, which `unpacked` makes the same profile of, bit for bit."""
    arrays: list[npt.NDArray[Any]] = []
    head = json.dumps(_tree(learnt, arrays), separators=(",", ":")).encode()
    return b"".join([_LENGTH.pack(len(head)), head, *(np.ascontiguousarray(one).tobytes() for one in arrays)])


def unpacked(content: bytes) -> Learnt:
    """The profile that was packed.

    Raises:
        BadInput: These bytes are none, or one of another version of fleetcast.
    """
    try:
        (length,) = _LENGTH.unpack_from(content)
        start = _LENGTH.size + length
        found = _Reader(content, start).value(json.loads(content[_LENGTH.size : start]))
    except (struct.error, ValueError, KeyError, TypeError, IndexError) as error:
        raise BadInput(f"this is no learnt profile: {error}", fix="delete it: it is learnt again") from error
    if not isinstance(found, Learnt):
        raise BadInput("this is no learnt profile", fix="delete it: it is learnt again")
    return found


def _tree(value: object, arrays: list[npt.NDArray[Any]]) -> object:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return {"float": float(value).hex()}
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "fib":
            raise TypeError(f"an array of {value.dtype} cannot be kept")
        arrays.append(value)
        return {"array": value.dtype.str, "shape": list(value.shape)}
    if isinstance(value, np.generic):
        return _tree(value.item(), arrays)
    if isinstance(value, tuple):
        return {"tuple": [_tree(one, arrays) for one in value]}
    if isinstance(value, datetime):
        return {"moment": value.isoformat()}
    if isinstance(value, timedelta):
        return {"duration": value // _MICROSECOND}
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value)
        if _kinds().get(kind.__name__) is not kind:
            raise TypeError(f"a {kind.__name__} cannot be kept")
        return {
            "of": kind.__name__,
            "fields": {one.name: _tree(getattr(value, one.name), arrays) for one in fields(value)},
        }
    raise TypeError(f"a {type(value).__name__} cannot be kept")


@dataclass(slots=True)
class _Reader:
    """Reads values in the order in which they were written."""

    content: bytes
    at: int
    """Where the next array begins."""

    def value(self, tree: object) -> object:
        if not isinstance(tree, dict):
            return tree
        if "float" in tree:
            return float.fromhex(tree["float"])
        if "array" in tree:
            return self._array(np.dtype(tree["array"]), tuple(tree["shape"]))
        if "tuple" in tree:
            return tuple(self.value(one) for one in tree["tuple"])
        if "moment" in tree:
            return datetime.fromisoformat(tree["moment"])
        if "duration" in tree:
            return timedelta(microseconds=tree["duration"])
        return _kinds()[tree["of"]](**{name: self.value(one) for name, one in tree["fields"].items()})

    def _array(self, kind: np.dtype[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
        if kind.kind not in "fib":
            raise ValueError(f"there is an array of {kind}")
        count = int(np.prod(shape))
        found = np.frombuffer(self.content, kind, count, self.at).reshape(shape)
        self.at += count * kind.itemsize
        return found


@cache
def _kinds() -> Mapping[str, type[Any]]:
    """By name the dataclasses that a profile consists of."""
    found: dict[str, type[Any]] = {}
    waiting: list[Any] = [Learnt]
    while waiting:
        kind = waiting.pop()
        waiting += getattr(kind, "__args__", ())
        if is_dataclass(kind) and isinstance(kind, type) and kind.__name__ not in found:
            found[kind.__name__] = kind
            waiting += get_type_hints(kind).values()
    return MappingProxyType(found)
