"""Vision transformers (Dosovitskiy et al., 2021): a small one, and ViT-B/16 from ImageNet.

The feature of an image is its class token after the last LayerNorm.
"""

from urllib.error import URLError

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import VisionTransformer, ViT_B_16_Weights
from torchvision.models.vision_transformer import MLPBlock

from pru_demo.models.split import Normalise, SplitModel

IMAGENET_SIZE = 224
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class TokenExtractor(VisionTransformer):  # type: ignore[misc]
    """torchvision's transformer without its head, for any number of input channels."""

    def __init__(self, channels: int, **shape: int) -> None:
        super().__init__(**shape)
        if channels != 3:
            patch = self.patch_size
            self.conv_proj = nn.Conv2d(channels, self.hidden_dim, patch, stride=patch)
        self.heads = nn.Identity()
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Fresh values, as torchvision's, for all that its layers would not give themselves."""
        nn.init.zeros_(self.class_token)
        nn.init.normal_(self.encoder.pos_embedding, std=0.02)
        nn.init.trunc_normal_(self.conv_proj.weight, std=self.conv_proj.weight[0].numel() ** -0.5)
        assert self.conv_proj.bias is not None
        nn.init.zeros_(self.conv_proj.bias)
        for module in self.modules():
            if isinstance(module, nn.MultiheadAttention):
                module._reset_parameters()
            elif isinstance(module, MLPBlock):
                for layer in module:
                    if isinstance(layer, nn.Linear):
                        nn.init.xavier_uniform_(layer.weight)
                        nn.init.normal_(layer.bias, std=1e-6)


def vit_small(channels: int, image_size: int, classes: int) -> SplitModel:
    """Six layers of 128 numbers per patch of 4×4 pixels; small enough to train here."""
    extractor = TokenExtractor(
        channels,
        image_size=image_size,
        patch_size=4,
        num_layers=6,
        num_heads=4,
        hidden_dim=128,
        mlp_dim=512,
    )
    return SplitModel(extractor, nn.Linear(128, classes))


class _AsImageNet(nn.Module):
    """Small images of one or three channels → colour images of the size of ImageNet's."""

    def forward(self, images: Tensor) -> Tensor:
        images = images.expand(-1, 3, -1, -1)
        return F.interpolate(images, size=IMAGENET_SIZE, mode="bilinear", antialias=True)


def vit_b16(channels: int, image_size: int, classes: int) -> SplitModel:
    """torchvision's ``vit_b_16`` on enlarged images; 768 features, no BatchNorm, no dropout.

    It normalises as its ImageNet weights want it, whatever the data set.
    """
    transformer = TokenExtractor(
        3,
        image_size=IMAGENET_SIZE,
        patch_size=16,
        num_layers=12,
        num_heads=12,
        hidden_dim=768,
        mlp_dim=3072,
    )
    normalise = Normalise(IMAGENET_MEAN, IMAGENET_STD)
    extractor = nn.Sequential(_AsImageNet(), normalise, transformer)
    return SplitModel(extractor, nn.Linear(768, classes))


def load_imagenet(network: SplitModel) -> None:
    """Give a :func:`vit_b16` the weights ``IMAGENET1K_V1``; its classifier stays as it is.

    Raises ValueError with a sentence when they cannot be downloaded.
    """
    try:
        weights = ViT_B_16_Weights.IMAGENET1K_V1.get_state_dict(progress=True, check_hash=True)
    except (URLError, OSError, RuntimeError) as error:
        raise ValueError(
            f"The ImageNet weights of ViT-B/16 cannot be downloaded ({error}). Connect to the "
            "internet once, or choose another network."
        ) from error
    (transformer,) = (m for m in network.modules() if isinstance(m, TokenExtractor))
    body = {name: value for name, value in weights.items() if not name.startswith("heads.")}
    with torch.no_grad():
        transformer.load_state_dict(body)
