"""What people and browsers get: the developer's pages, and what every HTTP answer carries."""
