"""HAProxy over its runtime API: servers come and go without a reload."""
