"""New songs one after the other: what is dropped, where each of them would go, and what a person decides."""
