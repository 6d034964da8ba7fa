"""The event as Segment's Spec defines it: decode, validate, stamp times, choose the partition key.

Pure and separately usable: no I/O, nothing of Headgate is imported, clocks and random numbers are passed in.
"""
