"""Sound to vectors: no database, no HTTP, no TensorFlow."""
