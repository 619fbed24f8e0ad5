"""A whole edge on one machine: a simulated Drove cluster, a real proxy, and the gateway between."""
