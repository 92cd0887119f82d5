"""All snapshots of a scenario on one map, and how far to believe it.

Using a fitted map needs numpy only; torch, scipy and umap-learn are imported where maps are made.
"""
