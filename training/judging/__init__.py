"""How good a group of playlists is told apart, on tracks and artists that were held out."""
