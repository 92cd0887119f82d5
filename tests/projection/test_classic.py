import numpy as np
import pytest

from pru_demo.projection import classic_umap
from pru_demo.projection.fidelity import trustworthiness


@pytest.mark.slow
def test_classic_umap_is_faithful_and_the_same_for_the_same_seed(unlearning):
    features = unlearning().features[0]
    placed = classic_umap(features, seed=3)
    assert trustworthiness(features, placed) > 0.95
    assert np.array_equal(placed, classic_umap(features, seed=3))
    assert not np.array_equal(placed, classic_umap(features, seed=4))


def test_features_umap_cannot_use_are_refused_before_it_is_imported():
    with pytest.raises(ValueError, match="samples > 15"):
        classic_umap(np.zeros((15, 4)), seed=0)
    with pytest.raises(ValueError, match="NaN"):
        classic_umap(np.full((20, 4), np.nan), seed=0)
