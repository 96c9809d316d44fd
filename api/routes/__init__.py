"""What can be asked over HTTP: one blueprint per noun."""
