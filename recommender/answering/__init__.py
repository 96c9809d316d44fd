"""From a question to its answer: which playlists a track fits, what sounds like it, what lies between."""
