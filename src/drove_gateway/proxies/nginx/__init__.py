"""NGINX, OpenResty and NGINX Plus."""
