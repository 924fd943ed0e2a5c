"""Flow runs: one execution of a flow each, with its states."""
