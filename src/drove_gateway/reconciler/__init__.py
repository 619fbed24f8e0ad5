"""The loop that brings the proxy to the desired state."""
