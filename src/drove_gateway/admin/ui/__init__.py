"""The page for people: what is wrong, what changed, and why a vhost is as it is."""
