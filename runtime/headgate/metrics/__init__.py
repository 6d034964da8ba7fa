"""What the forwarder counts and measures, and how CloudWatch is told.

Separately usable: nothing of Headgate is imported, and what writes a line is passed in.
"""
