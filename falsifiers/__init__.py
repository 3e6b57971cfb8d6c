"""How each falsification test is attacked, one module per contract; `pv show ID` leads here from the contract and back."""
