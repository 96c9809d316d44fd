"""Fit, judge, and run in the background."""
