"""Experiments as values: which data, what is heard, which network, how it is trained and judged."""
