import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.fallback import Chain, Origin, Source, Tried, Unused, used


def test_a_chain_always_ends_with_something() -> None:
    chain = Chain()
    tried: list[Tried] = []
    found = [used(chain, tried)]
    while found[-1].source is not Source.LAST_VALUE:
        tried.append(Tried(found[-1].source, Unused.BROKE))
        found.append(used(chain, tried))
    assert [one.source for one in found] == list(Source)
    with pytest.raises(BadInput, match="no source"):
        used(chain, [*tried, Tried(Source.LAST_VALUE, Unused.ABSENT)])


def test_its_code_says_what_was_asked_before() -> None:
    assert used(Chain(), []) == Origin(Source.MODEL)
    assert Origin(Source.MODEL).code == ""
    tried = [Tried(Source.MODEL, Unused.NOT_FINITE), Tried(Source.PREVIOUS_MODEL, Unused.ABSENT)]
    assert used(Chain(), tried).code == "model: not finite; previous model: absent"


def test_a_chain_may_leave_sources_out() -> None:
    short = Chain((Source.MODEL, Source.LAST_VALUE))
    assert used(short, [Tried(Source.MODEL, Unused.BROKE)]).source is Source.LAST_VALUE
    with pytest.raises(BadInput, match="no source"):
        used(short, [Tried(Source.SEASONAL_NAIVE, Unused.ABSENT)])


@pytest.mark.parametrize(
    "sources",
    [
        (),
        (Source.MODEL,),
        (Source.LAST_VALUE, Source.MODEL),
        (Source.MODEL, Source.MODEL, Source.LAST_VALUE),
        (Source.PREVIOUS_MODEL, Source.MODEL, Source.LAST_VALUE),
    ],
)
def test_a_chain_that_may_end_empty_is_refused(sources: tuple[Source, ...]) -> None:
    with pytest.raises(BadInput, match="a chain of"):
        Chain(sources)
