"""Every way to get samples out of a file: which formats there are, how long a file is, who decodes it."""
