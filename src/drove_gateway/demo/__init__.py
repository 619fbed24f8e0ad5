"""A simulated Drove cluster, a real proxy and the gateway between them, on one machine."""
