"""The log: a catalogue of every kind of line, and how a line is written."""
