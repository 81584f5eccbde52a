"""Effects: what was intended is remembered until it was seen to be done."""

from __future__ import annotations

from fleetcast.domain.audit import AuditEvent
from fleetcast.domain.effect import Effect
from fleetcast.ports.platform import Platform


def effect(key: str) -> Effect:
    return Effect(key, AuditEvent("model.shared", key, {"artifact": "a"}))


def subjects(platform: Platform) -> list[str]:
    return [entry.event.subject for entry in platform.control.audit.entries()]


def test_what_was_intended_is_unconfirmed_until_it_is_recorded(platform: Platform) -> None:
    effects = platform.control.effects
    effects.intend([effect("one"), effect("two")])
    effects.intend([effect("three")])
    assert effects.unconfirmed() == [effect("one"), effect("two"), effect("three")]
    effects.record([effect("two")])
    assert effects.unconfirmed() == [effect("one"), effect("three")]
    assert subjects(platform) == ["two"]


def test_intending_says_nothing_in_the_audit_log(platform: Platform) -> None:
    platform.control.effects.intend([effect("one")])
    assert subjects(platform) == []


def test_intending_and_recording_twice_is_once(platform: Platform) -> None:
    effects = platform.control.effects
    for _ in range(2):
        effects.intend([effect("one"), effect("one")])
        effects.record([effect("one")])
    assert effects.unconfirmed() == []
    assert subjects(platform) == ["one"]


def test_effects_are_recorded_in_the_order_in_which_they_were_intended(platform: Platform) -> None:
    effects = platform.control.effects
    effects.intend([effect(name) for name in "badc"])
    effects.record([effect(name) for name in "abcd"])
    assert subjects(platform) == ["b", "a", "d", "c"]


def test_what_the_log_says_is_what_was_carried_out_and_not_what_a_row_said(platform: Platform) -> None:
    effects = platform.control.effects
    effects.intend([Effect("one", AuditEvent("role.granted", "eve", {}))])
    effects.record([effect("one")])
    (entry,) = platform.control.audit.entries()
    assert entry.event == effect("one").event


def test_what_never_will_be_done_is_forgotten_and_what_was_recorded_stays(platform: Platform) -> None:
    effects = platform.control.effects
    effects.intend([effect("one"), effect("two")])
    effects.record([effect("one")])
    effects.drop([effect("one"), effect("two"), effect("three")])
    assert effects.unconfirmed() == []
    effects.record([effect("two")])
    assert subjects(platform) == ["one"]
