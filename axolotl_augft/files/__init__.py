"""Values and files -> atomically written files, fingerprints of files and of this package, locks, sets of digests."""
