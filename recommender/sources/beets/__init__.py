"""The library of beets: read, never written to."""
