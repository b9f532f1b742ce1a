"""Stand-ins for payment providers: servers that answer as the providers' documentation says, and fail as they do."""
