"""What the demo library is made of: instruments, invented artists, arrangements, a plan."""
