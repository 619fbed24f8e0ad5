"""NGINX Plus: upstream servers over its HTTP API, reloads only for vhosts that come or go."""
