"""Background task runs: those that wait for a worker of their task, and how one gets them.

::

    scheduled, deferred ── one commit ──▶ a row that waits ◀────────────────────────┐
                                              │ claimed by one subscriber           │
                                              ▼                                     │
                                     held, sent over its socket ── gone, silent ────┤
                                              │ acknowledged                        │
                                              ▼                        scheduled again by somebody
                                     the row is gone; its worker tells the rest by events

The rows are the queue: nothing of it is in memory but who listens.  A row is held for seconds only
and prolonged while the socket lives, so that it waits again after whatever kills server or worker.
"""

TOPIC = "background_task_runs"
"""The topic of the messages that wake subscribers; they carry a task's key."""
