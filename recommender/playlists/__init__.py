"""Playlists in from elsewhere, changed by the user's word, and out to where they are wanted."""
