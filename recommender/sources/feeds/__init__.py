"""Where new tracks come from: one way to read every kind of feed."""
