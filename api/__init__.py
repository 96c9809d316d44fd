"""HTTP, the web page and the command line."""
