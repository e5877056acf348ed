"""What damaged, hostile and foreign pictures do to it."""
