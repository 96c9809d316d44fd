"""The commands of ``whichlist``, one module a subject, and what all of them share."""
