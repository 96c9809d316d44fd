"""Background work that survives what happens to its worker: the ledger, its steps, the queue, the worker."""
