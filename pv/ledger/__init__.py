"""The ledger as files: content-named, canonical, never changed; see DESIGN.md, "Evidence"."""
