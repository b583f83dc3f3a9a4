"""The vocabulary every other room speaks: ids, events, purposes, permits, answers, errors, limits, time."""
