"""Models: each one a sum over people and a solve of that sum; blind to people and disks."""
