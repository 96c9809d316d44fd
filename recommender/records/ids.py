"""Numbers that name things of the catalogue."""

# What a column of an id holds, on SQLite and PostgreSQL alike.
MAX_ID = 2**31 - 1
