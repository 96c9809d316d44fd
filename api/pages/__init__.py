"""The web pages: shells that a script fills from the same JSON routes, with their styles and scripts."""
