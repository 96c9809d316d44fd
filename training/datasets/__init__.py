"""Labelled tracks on disk: playlists in folders, and the layouts of published data sets."""
