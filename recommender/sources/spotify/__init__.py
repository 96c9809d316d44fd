"""A user's Spotify account: log-in, lists, links, and lists written to it."""
