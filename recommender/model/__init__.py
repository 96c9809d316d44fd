"""One trained model: what it is made of, how it scores, and which one is in service."""
