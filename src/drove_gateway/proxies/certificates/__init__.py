"""TLS certificates of the proxy: files of a directory, followed while it runs."""
