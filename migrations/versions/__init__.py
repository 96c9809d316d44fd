"""One readable revision per feature."""
