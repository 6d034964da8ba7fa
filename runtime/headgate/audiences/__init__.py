"""Engage: audiences and computed traits, and the identify calls that tell who entered, left or changed."""
