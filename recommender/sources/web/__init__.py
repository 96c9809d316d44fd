"""Reading from other machines: checked addresses, capped size and time, manners."""
