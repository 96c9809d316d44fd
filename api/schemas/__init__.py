"""What goes in and out over HTTP, by noun; the OpenAPI document is generated from these."""
