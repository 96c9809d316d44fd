"""Catalogue, vectors and playlists to ranked answers."""
