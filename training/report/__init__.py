"""Score cards and experiments for people: pages, pictures and sentences."""
