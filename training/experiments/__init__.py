"""One command, one report: an experiment run from its data to the folder that shows it."""
