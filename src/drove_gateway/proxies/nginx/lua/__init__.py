"""The balancer in Lua for open-source NGINX and OpenResty, which speaks NGINX Plus's API."""
