"""A newly fitted encoder against the one in service, and how it takes over."""
