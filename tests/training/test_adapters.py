"""Adapters, each against a minimal model that indexes its tokens the way its codebase does."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import mgmtool
from mgmtool import adapters
from mgmtool.errors import UsageError
from mgmtool.types import PatchGrid, TokenLayout, TokenMask

Array = NDArray[Any]
CHANNELS = 3
FLAT = ("videomae", "hugging_face", "mgmae")
EQUAL = (*FLAT, "videomae_v2", "mae_st", "omnimae")
MASK_TOKEN = -1


def adapter(name: str) -> Any:
    """The adapter of a name; MaskFeat's takes any window here."""
    if name != "slowfast_maskfeat":
        return getattr(adapters, name)
    return lambda mask: adapters.slowfast_maskfeat(mask, np.shape(mask.mask if is_token_mask(mask) else mask)[-3:])


def is_token_mask(mask: Any) -> bool:
    return isinstance(mask, TokenMask)


def token_mask(mask: Array) -> TokenMask:
    return TokenMask(mask, np.zeros((len(mask), 4), np.int16), np.zeros(len(mask), bool))


def embedded(batch: int, grid: tuple[int, ...]) -> Array:
    """Tokens (batch, tokens, channels) as a 3D convolution gives them: ``conv(x).flatten(2).transpose(1, 2)``."""
    shape = (batch, CHANNELS, *grid)
    return np.arange(np.prod(shape)).reshape(shape).reshape(batch, CHANNELS, -1).transpose(0, 2, 1)


def places(grid: tuple[int, ...]) -> list[tuple[int, ...]]:
    return list(np.ndindex(grid))


@st.composite
def batches(draw: st.DrawFn, equal: bool = True, least: int = 0) -> Array:
    """Masks bool (batch, tubelets, rows, cols); ``equal`` in count, and ``least`` tokens of either kind."""
    grid = draw(st.tuples(*[st.integers(1, 5)] * 3).filter(lambda grid: np.prod(grid) >= 2 * least))
    tokens, clips = int(np.prod(grid)), draw(st.integers(1, 4))
    counts = st.integers(least, tokens - least)
    first = draw(counts)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    masks = [np.arange(tokens) < (first if equal else draw(counts)) for _ in range(clips)]
    return np.array([rng.permutation(mask) for mask in masks]).reshape(clips, *grid)


def gather(x: Array, index: Array) -> Array:
    """``torch.gather(x, 1, index.unsqueeze(-1).repeat(1, 1, channels))``."""
    return np.take_along_axis(x, index[:, :, None].repeat(x.shape[-1], axis=2), axis=1)


# ---- the forms that masks come in and go out ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", adapters.names())
@given(masks=batches(least=1))
def test_one_clip_gives_what_a_batch_of_it_gives(name: str, masks: Array) -> None:
    one, batch = adapter(name)(masks[0]), adapter(name)(masks[:1])
    pairs = list(zip(one, batch, strict=True)) if isinstance(one, tuple) else [(one, batch)]
    for single, several in pairs:
        np.testing.assert_array_equal(single if name == "hugging_face" else single[None], several)


@pytest.mark.parametrize("name", sorted({*adapters.names()} - {"slowfast_maskfeat"}))
@given(masks=batches(least=1))
def test_a_batch_in_any_form_gives_the_same(name: str, masks: Array) -> None:
    expected = adapter(name)(masks)
    mixed = [token_mask(mask) if i % 2 else mask for i, mask in enumerate(masks)]
    for form in (list(masks), tuple(masks), mixed, [token_mask(mask) for mask in masks]):
        np.testing.assert_equal(adapter(name)(form), expected)
    np.testing.assert_equal(adapter(name)(token_mask(masks[0])), adapter(name)(masks[0]))


@pytest.mark.parametrize("name", adapters.names())
@given(masks=batches(least=1))
def test_arrays_are_ready_for_torch_and_belong_to_the_caller(name: str, masks: Array) -> None:
    before = masks.copy()
    for form in (
        masks,
        np.asfortranarray(masks),
        masks[..., ::-1],
        [np.asfortranarray(mask) for mask in masks],
        masks[0],
    ):
        if isinstance(form, list) and name == "slowfast_maskfeat":
            continue
        if isinstance(form, np.ndarray):
            form.flags.writeable = False
        out = adapter(name)(form)
        for array in out if isinstance(out, tuple) else (out,):
            assert array.flags.c_contiguous
            assert array.flags.writeable
            assert not np.shares_memory(array, masks)
            array[:] = 0
    np.testing.assert_array_equal(masks, before)


def test_every_adapter_is_named_exported_and_documented() -> None:
    classes = ("DualMasks", "MaeStIndices", "Masks", "VJepaIndices")
    helpers = ("mgmae_ratio", "names", "running_cell")
    assert {*adapters.__all__} == {*adapters.names(), *classes, *helpers}
    assert adapters.names() == sorted(adapters.names())
    for name in adapters.names():
        text = inspect.getdoc(getattr(adapters, name)) or ""
        assert all(word in text for word in ("Fits ", ".py``", "True = masked", "Raises\n------"))
        assert "Returns\n-------" in text


def test_adapters_load_on_first_use_and_without_torch() -> None:
    code = (
        "import sys, mgmtool; assert 'mgmtool.adapters' not in sys.modules; print(*mgmtool.adapters.names()); "
        "assert not {'torch', 'av', 'numba', 'zarr'} & {*sys.modules}"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == adapters.names()
    assert mgmtool.adapters is adapters


# ---- what is refused ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EQUAL)
@given(masks=batches(equal=False))
def test_unequal_counts_are_refused_and_shown(name: str, masks: Array) -> None:
    counts = masks.sum(axis=(1, 2, 3)).tolist()
    if len({*counts}) == 1:
        adapter(name)(masks)
        return
    with pytest.raises(UsageError, match="unequal numbers of tokens in a batch") as caught:
        adapter(name)(masks)
    assert all(f"{count} (clips: {counts.count(count)})" in str(caught.value) for count in counts)


@pytest.mark.parametrize("name", adapters.names())
@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((8, 14, 14), np.uint8), r"^mask is uint8 \(8, 14, 14\); expected bool \(tubelets, rows, cols\) or"),
        (np.zeros((8, 14, 14)), r"^mask is float64 \(8, 14, 14\); expected bool"),
        (np.zeros((14, 14), bool), r"^mask is bool \(14, 14\); expected bool"),
        (np.zeros((1, 2, 8, 14, 14), bool), r"^mask is bool \(1, 2, 8, 14, 14\); expected bool"),
        (np.zeros((0, 8, 14, 14), bool), r"^mask is bool \(0, 8, 14, 14\); expected bool"),
        (np.zeros((8, 0, 14), bool), r"^mask is bool \(8, 0, 14\); expected .*with tokens$"),
        ([], "^mask has 0 clips; expected at least 1$"),
        ([np.zeros((8, 14, 14), bool), np.zeros((1568,), bool)], r"^mask\[1\] is bool \(1568,\); expected bool"),
        ([np.zeros((8, 14, 14), np.int64)], r"^mask\[0\] is int64 \(8, 14, 14\); expected bool"),
        ([[True, False]], r"^mask\[0\] is a list; expected bool"),
        (None, "^mask is a NoneType; expected bool"),
        ("tube", "^mask is a str; expected bool"),
        (
            [np.zeros((8, 14, 14), bool), np.zeros((8, 7, 7), bool)],
            r"^mask has clips of shapes \(8, 7, 7\), \(8, 14, 14\); expected one shape",
        ),
    ],
    ids=str,
)
def test_what_is_no_mask_is_refused(name: str, mask: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        getattr(adapters, name)(mask)
    assert "\n" not in str(caught.value)


# ---- VideoMAE, MGMAE, transformers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FLAT)
@given(masks=batches())
def test_boolean_index_models_see_and_predict_the_right_tokens(name: str, masks: Array) -> None:
    """``x[~mask].reshape(B, -1, C)`` is seen, ``x[mask]`` predicted."""
    bool_masked_pos = adapter(name)(masks)
    batch, grid = len(masks), masks.shape[1:]
    x = embedded(batch, grid)
    assert bool_masked_pos.dtype == np.bool_
    assert bool_masked_pos.shape == x.shape[:2]
    hidden = masks.sum() // batch
    seen = x[~bool_masked_pos].reshape(batch, x.shape[1] - hidden, CHANNELS)
    predicted = x[bool_masked_pos].reshape(batch, hidden, CHANNELS)
    for i, mask in enumerate(masks):
        where = [n for n, place in enumerate(places(grid)) if mask[place]]
        np.testing.assert_array_equal(predicted[i], x[i, where])
        np.testing.assert_array_equal(seen[i], np.delete(x[i], where, axis=0))


@pytest.mark.parametrize("name", FLAT)
@given(masks=batches())
def test_boolean_index_models_put_tokens_back_in_place(name: str, masks: Array) -> None:
    """The decoder's list, seen tokens first and predicted ones after, holds every token once; the mask says which is where."""
    mask, batch = adapter(name)(masks), len(masks)
    x = embedded(batch, masks.shape[1:])
    hidden = masks.sum() // batch
    visible = x.shape[1] - hidden
    seen, predicted = x[~mask].reshape(batch, visible, CHANNELS), x[mask].reshape(batch, hidden, CHANNELS)
    x_full = np.concatenate([seen, predicted], axis=1)
    back = np.full_like(x, MASK_TOKEN)
    for i in range(batch):
        back[i, ~mask[i]], back[i, mask[i]] = x_full[i, :visible], x_full[i, visible:]
    np.testing.assert_array_equal(back, x)
    np.testing.assert_array_equal(mask.reshape(masks.shape), masks)


def test_transformers_gets_a_batch_axis_for_one_clip() -> None:
    assert adapters.hugging_face(np.zeros((8, 14, 14), bool)).shape == (1, 1568)


@pytest.mark.parametrize(
    ("rows", "cols", "ratio", "kept"), [(14, 14, 0.9, 19), (14, 14, 0.75, 49), (7, 7, 0.9, 4), (14, 14, 0, 196)]
)
def test_mgmae_ratio_gives_mgmae_counts(rows: int, cols: int, ratio: float, kept: int) -> None:
    asked = adapters.mgmae_ratio(rows, cols, ratio)
    assert rows * cols - TokenLayout.of(PatchGrid(rows, cols), asked).masked == kept


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1))
def test_mgmae_ratio_is_exact_on_every_grid(rows: int, cols: int, ratio: float) -> None:
    num_vis = int(rows * cols * (1 - ratio))
    layout = TokenLayout.of(PatchGrid(rows, cols), adapters.mgmae_ratio(rows, cols, ratio))
    assert rows * cols - layout.masked == num_vis


@pytest.mark.parametrize(("rows", "cols", "ratio"), [(0, 14, 0.9), (14, 14, 1.5), (14, 14, float("nan"))])
def test_mgmae_ratio_refuses(rows: int, cols: int, ratio: float) -> None:
    with pytest.raises(UsageError, match=f"^grid is {rows}x{cols}, ratio is {ratio}; expected"):
        adapters.mgmae_ratio(rows, cols, ratio)


# ---- VideoMAE V2 -------------------------------------------------------------------------------------------------------------


def videomae_v2_loss_tokens(x: Array, bool_masked_pos: Array, decode_masked_pos: Array) -> tuple[Array, Array, Array]:
    """What its model sees and decodes, and which of that its loss counts."""
    batch = len(x)
    seen = x[~bool_masked_pos].reshape(batch, -1, CHANNELS)
    labels = x[~decode_masked_pos].reshape(batch, -1, CHANNELS)
    cal_loss_mask = bool_masked_pos[~decode_masked_pos].reshape(batch, -1)
    return seen, labels, cal_loss_mask


@given(masks=batches(least=1))
def test_videomae_v2_decodes_what_is_hidden_without_a_decoder_mask(masks: Array) -> None:
    encoder, decoder = adapters.videomae_v2(masks)
    x = embedded(len(masks), masks.shape[1:])
    _, labels, counted = videomae_v2_loss_tokens(x, encoder, decoder)
    assert counted.all()
    np.testing.assert_array_equal(labels, x[adapters.videomae(masks)].reshape(labels.shape))


@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.sampled_from([0.25, 0.5, 0.75]), st.data())
def test_videomae_v2_decodes_and_counts_the_right_tokens(
    tubelets: int, y: int, x: int, ratio: float, data: Any
) -> None:
    grid = (tubelets, 2 * y, 2 * x)
    clips, tokens = data.draw(st.integers(1, 3)), tubelets * 4 * y * x
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    hidden = data.draw(st.integers(1, tokens - 1))
    masks = np.array([rng.permutation(np.arange(tokens) < hidden) for _ in range(clips)]).reshape(clips, *grid)
    cells = [adapters.running_cell(grid, ratio, int(rng.integers(4))) for _ in range(clips)]
    both = adapters.videomae_v2(masks, cells)
    patches = embedded(clips, grid)
    seen, labels, counted = videomae_v2_loss_tokens(patches, both.encoder, both.decoder)
    assert seen.shape[1] == tokens - hidden
    assert labels.shape[1] == round((1 - ratio) * tokens)
    for i in range(clips):
        decoded = [n for n, place in enumerate(places(grid)) if not cells[i][place]]
        np.testing.assert_array_equal(labels[i], patches[i, decoded])
        np.testing.assert_array_equal(counted[i], [masks[i][places(grid)[n]] for n in decoded])


def running_cell_twin(shape: tuple[int, int, int], ones: int, phase: int) -> Array:
    """A queue of ones and zeros, of which every cell shows four from a pointer that runs on before each tubelet."""
    tubelets, rows, cols = shape
    queue, pointer, out = [1] * ones + [0] * (4 - ones), phase, np.zeros(shape, bool)
    for t in range(tubelets):
        pointer += 1
        for y in range(rows):
            for x in range(cols):
                out[t, y, x] = queue[(2 * (y % 2) + x % 2 + pointer) % 4]
    return out


@pytest.mark.parametrize("phase", range(4))
@pytest.mark.parametrize(("ratio", "ones"), [(0.25, 1), (0.5, 2), (0.6, 2), (0.75, 3), (0.99, 3)])
def test_running_cell_is_the_one_of_the_repository(ratio: float, ones: int, phase: int) -> None:
    cell = adapters.running_cell((8, 14, 14), ratio, phase)
    assert cell.dtype == np.bool_
    np.testing.assert_array_equal(cell, running_cell_twin((8, 14, 14), ones, phase))
    assert (cell.sum(axis=(1, 2)) == ones * 49).all()
    assert (cell.sum(axis=0) == 2 * ones).all()


def test_running_cell_hides_half_at_first() -> None:
    np.testing.assert_array_equal(
        adapters.running_cell((2, 2, 2)), [[[True, False], [False, True]], [[False, False], [True, True]]]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((8, 7, 7),), r"^shape is \(8, 7, 7\); expected .*even rows and cols$"),
        (((0, 14, 14),), r"^shape is \(0, 14, 14\); expected"),
        (((8, 14, 14), 0.2), r"^ratio is 0.2; expected 0.25 or more"),
        (((8, 14, 14), 1.0), r"^ratio is 1.0; expected .* less than 1$"),
        (((8, 14, 14), 0.5, 4), r"^phase is 4; expected 0 to 3$"),
    ],
)
def test_running_cell_refuses(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        adapters.running_cell(*arguments)


def test_videomae_v2_refuses_decoder_masks_that_do_not_fit() -> None:
    mask = np.zeros((2, 8, 14, 14), bool)
    with pytest.raises(
        UsageError, match=r"^decoder_mask has shape \(8, 14, 14\); expected that of mask, \(2, 8, 14, 14\)$"
    ):
        adapters.videomae_v2(mask, adapters.running_cell((8, 14, 14)))
    with pytest.raises(UsageError, match=r"^decoder_mask is int64 \(8, 14, 14\)"):
        adapters.videomae_v2(mask[0], np.zeros((8, 14, 14), np.int64))
    unequal = mask.copy()
    unequal[0, 0, 0, 0] = True
    with pytest.raises(UsageError, match=r"^decoder_mask hides unequal .*: 0 \(clips: 1\), 1 \(clips: 1\);"):
        adapters.videomae_v2(mask, unequal)


# ---- MAE as spatiotemporal learner -------------------------------------------------------------------------------------------


@given(masks=batches())
def test_mae_st_restores_the_order_of_tokens(masks: Array) -> None:
    mask, ids_restore, ids_keep = adapters.mae_st(masks)
    batch, grid = len(masks), masks.shape[1:]
    x = embedded(batch, grid)
    assert (mask.dtype, ids_restore.dtype, ids_keep.dtype) == (np.float32, np.int64, np.int64)
    kept = gather(x, ids_keep)
    mask_tokens = np.full((batch, x.shape[1] - kept.shape[1], CHANNELS), MASK_TOKEN)
    decoded = gather(np.concatenate([kept, mask_tokens], axis=1), ids_restore)
    for i, place in np.ndindex(batch, x.shape[1]):
        expected = MASK_TOKEN if masks[i][places(grid)[place]] else x[i, place]
        np.testing.assert_array_equal(decoded[i, place], np.broadcast_to(expected, CHANNELS))
    loss = ((decoded != x).any(axis=2) * mask).sum() / max(mask.sum(), 1)
    assert loss == (1 if masks.any() else 0)
    assert (np.diff(ids_keep) > 0).all()


@given(masks=batches())
def test_mae_st_is_what_random_masking_makes_of_the_same_noise(masks: Array) -> None:
    """Its own steps: sort noise, restore by a second sort, keep the first, unshuffle the mask."""
    noise = masks.reshape(len(masks), -1) + np.linspace(0, 0.5, masks[0].size)
    ids_shuffle = np.argsort(noise, axis=1)
    ids_restore = np.argsort(ids_shuffle, axis=1)
    len_keep = masks[0].size - int(masks[0].sum())
    mask = np.ones(noise.shape, np.float32)
    mask[:, :len_keep] = 0
    expected = np.take_along_axis(mask, ids_restore, axis=1), ids_restore, ids_shuffle[:, :len_keep]
    np.testing.assert_equal(tuple(adapters.mae_st(masks)), expected)


# ---- V-JEPA ------------------------------------------------------------------------------------------------------------------


def apply_masks(x: Array, masks: list[Array]) -> Array:
    """Of V-JEPA: gather the tokens of each list of masks, one below the other."""
    return np.concatenate([gather(x, index) for index in masks], axis=0)


@given(masks=batches(equal=False, least=1))
def test_vjepa_cuts_to_the_shortest_and_gathers(masks: Array) -> None:
    encoder, predictor = adapters.vjepa(masks)
    assert encoder.dtype == predictor.dtype == np.int64
    batch, grid = len(masks), masks.shape[1:]
    x = embedded(batch, grid)
    for index, chosen in ((encoder, ~masks), (predictor, masks)):
        fewest = chosen.sum(axis=(1, 2, 3)).min()
        assert index.shape == (batch, fewest)
        gathered = apply_masks(x, [index])
        for i in range(batch):
            where = [n for n, place in enumerate(places(grid)) if chosen[i][place]][:fewest]
            np.testing.assert_array_equal(gathered[i], x[i, where])


@given(masks=batches(least=1))
def test_vjepa_loses_nothing_of_equal_clips(masks: Array) -> None:
    both = np.sort(np.concatenate(adapters.vjepa(masks), axis=1), axis=1)
    np.testing.assert_array_equal(both, np.broadcast_to(np.arange(masks[0].size), both.shape))


@pytest.mark.parametrize(("value", "word"), [(True, "visible"), (False, "masked")])
def test_vjepa_refuses_clips_without_context_or_target(value: bool, word: str) -> None:
    masks = np.zeros((2, 2, 2, 2), bool)
    masks[:, 0] = True
    masks[1] = value
    with pytest.raises(UsageError, match=f"^clip 1 has 0 {word} tokens; expected at least 1$"):
        adapters.vjepa(masks)


# ---- MaskFeat ----------------------------------------------------------------------------------------------------------------


def nearest(mask: Array, size: int) -> Array:
    """``F.interpolate(mask, size=size)`` of (batch, tubelets, rows, cols): the tubelets are its channels."""
    rows, cols = (np.arange(size) * side // size for side in mask.shape[-2:])
    return mask[:, :, rows[:, None], cols]


@pytest.mark.parametrize("side", [7, 14])
@given(seed=st.integers(0, 2**32 - 1), clips=st.integers(1, 2))
def test_maskfeat_replaces_the_right_tokens_and_features(side: int, seed: int, clips: int) -> None:
    masks = np.random.default_rng(seed).random((clips, 8, side, side)) < 0.4
    window = (8, side, side)
    loaded = adapters.slowfast_maskfeat(masks, window)
    assert loaded.dtype == np.int64
    assert loaded.shape == masks.shape
    x = embedded(clips, (8, 56, 56))
    float_mask = nearest(loaded.astype(np.float32), 56).reshape(clips, -1)[:, :, None]
    replaced = (x * (1 - float_mask) + MASK_TOKEN * float_mask).reshape(clips, 8, 56, 56, CHANNELS)
    pixels = masks.repeat(56 // side, axis=2).repeat(56 // side, axis=3)
    np.testing.assert_array_equal((replaced == MASK_TOKEN).all(axis=-1), pixels)
    output_mask = nearest(loaded.astype(np.float32), 14).reshape(clips, -1).astype(bool)
    features = embedded(clips, (8, 14, 14))
    fine = masks.repeat(14 // side, axis=2).repeat(14 // side, axis=3)
    wanted = [features[i, n] for i in range(clips) for n, place in enumerate(places((8, 14, 14))) if fine[i][place]]
    np.testing.assert_array_equal(features[output_mask], np.reshape(wanted, (-1, CHANNELS)))


def test_maskfeat_refuses_masks_of_another_grid() -> None:
    mask = np.zeros((8, 14, 14), bool)
    with pytest.raises(UsageError, match=r"^mask has shape \(8, 14, 14\); expected the window \(8, 7, 7\)"):
        adapters.slowfast_maskfeat(mask)
    assert adapters.slowfast_maskfeat(mask, (8, 14, 14)).shape == (8, 14, 14)
    assert adapters.slowfast_maskfeat(token_mask(mask[:, :7, :7])).shape == (8, 7, 7)
    assert adapters.slowfast_maskfeat([mask[:, :7, :7]] * 3).shape == (3, 8, 7, 7)


# ---- OmniMAE -----------------------------------------------------------------------------------------------------------------


@given(masks=batches())
def test_omnimae_drops_tokens_and_puts_mask_tokens_there(masks: Array) -> None:
    mask = adapters.omnimae(masks)
    assert mask.dtype == np.bool_
    assert mask.shape == masks.shape
    batch, grid = len(masks), masks.shape[1:]
    x, flat = embedded(batch, grid), mask.reshape(batch, -1)
    patches = x[~flat].reshape(batch, x.shape[1] - masks.sum() // batch, CHANNELS)
    full = np.empty_like(x)
    full[flat] = MASK_TOKEN
    full[~flat] = patches.reshape(-1, CHANNELS)
    for i, n in np.ndindex(batch, x.shape[1]):
        expected = MASK_TOKEN if masks[i][places(grid)[n]] else x[i, n]
        np.testing.assert_array_equal(full[i, n], np.broadcast_to(expected, CHANNELS))
