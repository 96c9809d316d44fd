"""Fitting an encoder to playlists: batches, epochs, checkpoints."""
