"""Every table at once, for whoever makes or copies a whole database."""

from recommender.catalogue.tables import feeds, imports, library, playlists, work
from recommender.catalogue.tables.base import Base

# Imported for what importing does: each adds its tables to METADATA.
MODULES = (library, playlists, imports, feeds, work)
METADATA = Base.metadata
