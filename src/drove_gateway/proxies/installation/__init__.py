"""Bring a rendered configuration to a proxy: render, check, swap, reload, prove."""
