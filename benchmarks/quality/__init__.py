"""How often fauxto is right, and how often it raises a false alarm."""
