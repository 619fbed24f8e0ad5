"""From what the controllers list to what the proxy should serve."""
