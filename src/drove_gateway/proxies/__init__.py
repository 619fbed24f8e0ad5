"""Proxy drivers: each brings one kind of proxy to what the topology says."""
