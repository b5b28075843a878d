"""Side-by-side ratios, each table from one run: `make bench`."""
