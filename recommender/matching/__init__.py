"""Which track of the library a row means: names compared, versions told apart, people asked."""
