"""Listening to the files that a scan found, each step kept at once."""
