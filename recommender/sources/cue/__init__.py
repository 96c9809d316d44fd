"""Cue sheets: the tracks of an album that lies in one file, beside the file or in its tags."""
