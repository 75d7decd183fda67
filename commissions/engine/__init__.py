"""The commission engine. Import from its modules."""
