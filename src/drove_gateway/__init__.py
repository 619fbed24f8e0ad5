"""drove-gateway keeps NGINX and HAProxy true to what runs on a Drove cluster."""
