"""Says which runs take the slots of queues and pools."""

# Word for word the condition of the index flow_run_queue_active: SQLite asks for that.
HOLDING = "r.state_type in ('RUNNING', 'PENDING', 'CANCELLING')"
"""Run ``r`` goes on, even if it is being cancelled."""
TAKING = f"{HOLDING} and r.state_type <> 'CANCELLING'"
"""Run ``r`` takes a slot of its queue and pool."""
