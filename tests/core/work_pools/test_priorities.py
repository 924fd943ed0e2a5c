"""Priorities of a pool's queues stay apart, keep their order, and are where they were asked for."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from armillary.work_pools.priorities import first_free, placed
from tests.api import Api

taken_places = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 12), max_size=8).filter(
    lambda places: len(set(places.values())) == len(places)
)


@given(taken_places, st.sampled_from("abcdefghi"), st.integers(1, 14))
def test_a_queue_gets_its_place_and_the_others_keep_their_order(
    taken: dict[str, int], queue: str, place: int
) -> None:
    after = {**taken, **placed(taken, queue, place)}
    assert after[queue] == place
    assert len(set(after.values())) == len(after)
    others = [name for name in taken if name != queue]
    assert sorted(others, key=after.__getitem__) == sorted(others, key=taken.__getitem__)
    assert all(after[name] >= taken[name] for name in others)


@given(taken_places, st.sampled_from("abcdefghi"), st.integers(1, 14))
def test_nobody_moves_without_need(taken: dict[str, int], queue: str, place: int) -> None:
    changed = placed(taken, queue, place)
    after = {**taken, **changed}
    assert all(taken.get(name) != new for name, new in changed.items())
    for name in changed.keys() - {queue}:
        # whoever moved stands right behind another who wanted or took the place
        assert after[name] - 1 in {each for other, each in after.items() if other != name}
        assert after[name] == taken[name] + 1


@given(taken_places)
def test_the_first_free_place_fills_gaps(taken: dict[str, int]) -> None:
    free = first_free(taken)
    assert free not in taken.values()
    assert set(range(1, free)) <= set(taken.values())


async def priorities(api: Api) -> dict[str, int]:
    listed = await api.post("/work_pools/pool/queues/filter")
    assert [queue["priority"] for queue in listed] == sorted(
        {queue["priority"] for queue in listed}
    )
    return {queue["name"]: queue["priority"] for queue in listed}


async def test_queues_are_put_in_and_moved_by_priority(api: Api) -> None:
    await api.pool()
    await api.queue("a", priority=5)
    await api.queue("b")
    assert await priorities(api) == {"default": 1, "b": 2, "a": 5}
    await api.queue("c", priority=1)
    assert await priorities(api) == {"c": 1, "default": 2, "b": 3, "a": 5}
    await api.patch("/work_pools/pool/queues/a", {"priority": 2})
    assert await priorities(api) == {"c": 1, "a": 2, "default": 3, "b": 4}
    await api.patch("/work_pools/pool/queues/a", {"priority": 2})
    assert await priorities(api) == {"c": 1, "a": 2, "default": 3, "b": 4}
    await api.delete("/work_pools/pool/queues/a")
    await api.queue("d")
    assert await priorities(api) == {"c": 1, "d": 2, "default": 3, "b": 4}


async def test_queues_made_at_once_do_not_share_a_priority(api: Api) -> None:
    await api.pool()
    await asyncio.gather(*(api.queue(f"q{number}") for number in range(8)))
    assert sorted((await priorities(api)).values()) == list(range(1, 10))
