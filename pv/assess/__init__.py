"""What the evidence supports today: freshness, levels, and whether promises are kept."""
