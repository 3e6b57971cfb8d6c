"""Many trials, each in a process of its own: scheduled, joined, made into receipts. Needs neither torch nor hypothesis."""
