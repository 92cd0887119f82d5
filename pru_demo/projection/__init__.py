"""All snapshots of a scenario on one map, and how far to believe it.

Using a fitted map needs numpy only; torch, scipy and umap-learn are imported where maps are made.
"""

from pru_demo.projection.align import displacement
from pru_demo.projection.fidelity import Fidelity, map_fidelity
from pru_demo.projection.landmark_map import LandmarkMap, fit_landmark_map
from pru_demo.projection.temporal_map import Entrance, TemporalMap, fit_temporal_map, pca_map
from pru_demo.projection.umap_maps import classic_umap, warm_up

__all__ = [
    "Entrance",
    "Fidelity",
    "LandmarkMap",
    "TemporalMap",
    "classic_umap",
    "displacement",
    "fit_landmark_map",
    "fit_temporal_map",
    "map_fidelity",
    "pca_map",
    "warm_up",
]
