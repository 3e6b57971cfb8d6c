"""What can be told of a model: from the header of its file, and from one forward pass."""
