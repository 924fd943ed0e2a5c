"""Numbers about many things at once, which the pages of Prefect's own interface ask for."""
