"""A Hugging Face VideoMAE learns on real clips with masks from the loader: shapes fit, and the loss falls."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mgmtool
from mgmtool import MaskStore
from mgmtool.extraction import extract
from mgmtool.types import ExtractSpec

torch: Any = pytest.importorskip("torch")
transformers: Any = pytest.importorskip("transformers")

from mgmtool.torch import MaskedClips, MaskedClipTransform  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.corpus,
    pytest.mark.filterwarnings("default"),  # what other libraries deprecate is not tested here
]

STEPS, BATCH = 20, 4


@pytest.fixture(scope="module")
def store(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> MaskStore:
    """Masks of the clips of the corpus that show actions."""
    output = tmp_path_factory.mktemp("training") / "m.zarr"
    outcomes = list(extract([str(corpus / "clips" / "action")], output, ExtractSpec()))
    assert sum(outcome.done for outcome in outcomes) >= BATCH
    return mgmtool.open_store(output)


def tiny_videomae() -> Any:
    """Make a VideoMAE of random weights, as small as 14 x 14 patches of 8 tubelets allow."""
    torch.manual_seed(0)
    config = transformers.VideoMAEConfig(
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=96,
        decoder_hidden_size=32,
        decoder_num_hidden_layers=1,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=64,
        norm_pix_loss=False,  # else what so few steps can learn is less than what batches differ by
    )
    return transformers.VideoMAEForPreTraining(config).train()


def batches(store: MaskStore, ratio: float) -> Iterator[tuple[Any, Any]]:
    """Normalised pixels (batch, frames, 3, 224, 224) and masks (batch, tokens), epoch after epoch."""
    clips = MaskedClips(store, transform=MaskedClipTransform(store, ratio=ratio))
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    epoch = 0
    while True:
        clips.set_epoch(epoch)
        loader = torch.utils.data.DataLoader(
            clips, BATCH, shuffle=True, drop_last=True, generator=torch.Generator().manual_seed(epoch)
        )
        for clip, mask in loader:
            yield (clip.transpose(1, 2) - mean) / std, mask
        epoch += 1


@pytest.mark.parametrize("ratio", [0.75, 0.9])
def test_the_loss_of_a_tiny_videomae_falls(store: MaskStore, ratio: float) -> None:
    model, losses = tiny_videomae(), []
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for _, (pixels, mask) in zip(range(STEPS), batches(store, ratio), strict=False):
        assert mask.sum(1).tolist() == [8 * round(ratio * 196)] * BATCH
        loss = model(pixel_values=pixels, bool_masked_pos=mask).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    print(f"ratio {ratio}: {' '.join(f'{loss:.4f}' for loss in losses)}")
    first, last = sum(losses[:5]) / 5, sum(losses[-5:]) / 5
    assert last < 0.8 * first
