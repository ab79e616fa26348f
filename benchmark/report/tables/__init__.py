"""What the records say as numbers, tables and notes."""
