"""Disks: files that are written whole or not at all, fingerprints of files and of the package's code, sets of digests."""
