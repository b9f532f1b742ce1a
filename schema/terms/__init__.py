"""Terms of sale in the schema."""
