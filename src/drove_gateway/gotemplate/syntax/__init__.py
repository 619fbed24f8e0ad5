"""Text to tokens and trees, by the rules of Go's text/template/parse."""
