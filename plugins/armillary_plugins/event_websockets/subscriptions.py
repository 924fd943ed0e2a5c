"""Who is told of live events in this process, and what waits for each of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from weakref import WeakKeyDictionary

from armillary_plugins.events.matching import Subject, Test, subject_of

QUEUE = 256
"""Events that wait for one subscriber; what comes beyond is not for him any more."""


class Subscriber:
    """One stream: its filter, and the frames that it has not sent yet."""

    def __init__(self, test: Test, wake: Callable[[], None]) -> None:
        self._test = test
        self._wake = wake
        self.queue: deque[tuple[str, str]] = deque()
        """Ids and frames."""
        self.dropped = 0

    def wants(self, subject: Subject) -> bool:
        """Tell whether the filter lets an event through."""
        return self._test(subject)

    def offer(self, event_id: str, frame: str) -> bool:
        """Queue a frame; False if there is no room for it."""
        if len(self.queue) >= QUEUE:
            self.dropped += 1
            return False
        self.queue.append((event_id, frame))
        self._wake()
        return True


class Subscriptions:
    """The subscribers of this process, by workspace."""

    def __init__(self) -> None:
        self._by_workspace: dict[int, list[Subscriber]] = {}

    def add(self, workspace: int, subscriber: Subscriber) -> None:
        """Tell a subscriber what happens from now on."""
        self._by_workspace.setdefault(workspace, []).append(subscriber)

    def remove(self, workspace: int, subscriber: Subscriber) -> None:
        """Tell him no more."""
        found = self._by_workspace[workspace]
        found.remove(subscriber)
        if not found:
            del self._by_workspace[workspace]

    def publish(self, workspace: int, body: str) -> int:
        """Hand an event, decoded once, to all who want it; return for how many it was too much."""
        subscribers = self._by_workspace.get(workspace)
        if not subscribers:
            return 0
        subject = subject_of(body)
        wanting = [subscriber for subscriber in subscribers if subscriber.wants(subject)]
        if not wanting:
            return 0
        frame = frame_of(body)
        return sum(not subscriber.offer(subject.id, frame) for subscriber in wanting)

    def __len__(self) -> int:
        return sum(map(len, self._by_workspace.values()))


def frame_of(body: str) -> str:
    """Put an event's JSON into the message that carries it."""
    return f'{{"type":"event","event":{body}}}'


_SUBSCRIPTIONS: WeakKeyDictionary[object, Subscriptions] = WeakKeyDictionary()


def subscriptions_of(core: object) -> Subscriptions:
    """Return the one registry that routes and consumer of a core share."""
    return _SUBSCRIPTIONS.setdefault(core, Subscriptions())
