"""drove-gateway configures NGINX and HAProxy for the apps of a Drove cluster."""
