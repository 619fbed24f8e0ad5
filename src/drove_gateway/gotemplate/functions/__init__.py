"""The functions that templates may call: Go's own, and the gateway's."""
