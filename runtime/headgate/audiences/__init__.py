"""Engage: audiences and computed traits, from a snapshot of their members to identify calls.

A *snapshot* says who is a member now; the *delivered state* what each user's last acknowledged call said.
Their *difference* is the calls of one sync.
"""
