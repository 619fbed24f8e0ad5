"""What the gateway knows and did, as one frozen value."""
