"""What is fitted on embeddings for one group of playlists: heads, calibration, and their choice."""
