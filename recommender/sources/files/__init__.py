"""Playlist files: every format read into rows, and rows written as files."""
