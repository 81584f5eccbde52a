from fleetcast.domain.canonical import Json
from fleetcast.views.remembered import shown_again


def test_the_very_same_object_is_shown_as_before_and_an_equal_one_anew() -> None:
    made: list[tuple[int, ...]] = []

    @shown_again(2)
    def view(value: tuple[int, ...]) -> Json:
        made.append(value)
        return list(value)

    one, other = (1, 2), tuple(range(1, 3))
    assert one is not other
    assert view(one) is view(one)
    assert view(other) == view(one)
    assert made == [one, other]
    third = (3,)
    view(third)
    view(one)
    assert made == [one, other, third, one], "two are held, and a third takes the place of all"
