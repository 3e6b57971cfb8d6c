"""What writes the pages of the book that nobody writes by hand: a module for each kind of page."""
