"""The user's own music servers, and services that know recordings."""
