"""The database: its tables, and every query on it, by noun; a query takes a session, gives plain values."""
