"""The worker channel: heartbeats and news of its pool over one websocket for each worker."""
