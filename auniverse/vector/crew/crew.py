"""A pool whose sessions live in other processes, and whose batch lies in memory that all share."""
