"""The files behind tracks: what they are known by, how they are played, how one that was sent is kept."""
