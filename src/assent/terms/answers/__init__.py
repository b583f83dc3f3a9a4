"""Answers of the acts: plain frozen values, the same in Python, on the command line and over HTTP."""
