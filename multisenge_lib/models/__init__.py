"""The networks of the paper, one builder a module."""
