"""Every query on work pools, queues, workers, and the runs they wait for."""
