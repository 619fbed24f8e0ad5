"""The vocabulary that every part of the gateway shares: values, no behaviour of their own."""
