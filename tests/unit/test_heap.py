import gc

from app.kit.heap import keep_for_good


def test_what_is_there_at_the_start_is_not_walked_again() -> None:
    at_start: list[list[int]] = [[]]
    assert any(one is at_start for one in gc.get_objects())

    keep_for_good()

    # A list that was made since is still looked after.
    since: list[list[int]] = [[]]
    seen = gc.get_objects()
    assert not any(one is at_start for one in seen)
    assert any(one is since for one in seen)
