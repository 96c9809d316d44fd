"""New releases: rows of a source that become items, are scored in one batch, and end in lists."""
