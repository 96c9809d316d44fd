"""Where playlists and tracks come from: one module a source, rows in, rows out."""
