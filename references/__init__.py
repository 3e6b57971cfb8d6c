"""Second opinions: small, slow, in float64, written from the formulas; they import nothing of what they judge."""
