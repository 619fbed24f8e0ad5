"""HAProxy's sockets: commands, replies and clients."""
