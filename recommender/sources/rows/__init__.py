"""Rows as sources spell them: text, names, places of tracks, and what is left out and why."""
