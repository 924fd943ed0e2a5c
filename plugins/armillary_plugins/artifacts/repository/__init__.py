"""Every query on artifacts and their collections."""
