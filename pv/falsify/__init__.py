"""Running falsifiers: cases are drawn, checks are counted, faults must be caught, and what happened becomes a receipt."""
