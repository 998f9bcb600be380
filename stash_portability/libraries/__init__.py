"""Libraries: whatever holds records, behind the protocols of ``model``."""
