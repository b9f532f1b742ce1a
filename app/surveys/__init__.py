"""Surveys: one question about an order, and what people answered."""
