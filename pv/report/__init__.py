"""Values as text and as JSON. Renders, computes nothing."""
