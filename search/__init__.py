"""How candidates are proposed, run, kept and shown."""
