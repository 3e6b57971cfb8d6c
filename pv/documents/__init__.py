"""Documents: Markdown, books, drawings and media, held against what they must be to be read."""
