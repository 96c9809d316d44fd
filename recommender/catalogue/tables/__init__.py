"""The tables of the database, by noun; :mod:`recommender.catalogue.tables.every` knows all of them."""
