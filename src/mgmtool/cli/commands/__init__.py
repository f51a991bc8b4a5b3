"""The commands: every file here is one, named as it is."""
