"""Plain values that cross between rooms: tracks, playlists, models, rows, matches, feeds."""
