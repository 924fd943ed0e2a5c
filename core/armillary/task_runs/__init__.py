"""Task runs: one execution of a task each, reported by clients or orchestrated here."""
