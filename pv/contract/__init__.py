"""Reading contracts: text → document (values with places) → schema → contract."""
