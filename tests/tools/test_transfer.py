"""The second synthetic place, and training there from scratch and from the sample's network."""

from dataclasses import replace

import numpy as np
import pytest
import rasterio
from networks import slim_unet

from multisenge_lib import results
from multisenge_lib.dataset import SAMPLE, TYPOLOGIES, dataset_of_root, load_selection, read_patch
from multisenge_lib.errors import FileError, ModelError, MultiSenGEError, RecordError
from multisenge_lib.models import build_model, get_experiment, model_card, save_model
from multisenge_lib.sample import RASTER_DESCRIPTION, ensure_sample
from multisenge_lib.tools import run_transfer, transfer
from multisenge_lib.training import SAMPLE_SETTINGS


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The second place with its smallest share of patches, each a quarter as large."""
    return transfer._write_place(tmp_path_factory.mktemp("place") / "south-5", 5, 32)


def list_files(root):
    return sorted(path.relative_to(root) for path in root.rglob("*"))


@pytest.fixture
def sample_model(tmp_path, monkeypatch):
    """A network of the sample of few weights, at its random start."""
    slim_unet(monkeypatch)
    experiment = get_experiment("s2_10c", SAMPLE)
    card = model_card(experiment, TYPOLOGIES["10c"], 32, "sample")
    return save_model(build_model(experiment, 32), card, tmp_path / "model.keras")


def test_the_second_place_lies_in_the_south_half_a_year_later(place):
    dataset = dataset_of_root(place)
    assert (dataset.name, dataset.months) == ("south", (1, 2, 3, 5))
    selection = load_selection(place)
    assert selection["split"].value_counts().to_dict() == {"test": 72, "validation": 16, "train": 4}
    for dates in selection["s2_dates"]:
        months = dates.astype("datetime64[M]").astype(int) % 12 + 1
        assert months.tolist() == [1, 2, 3, 5]
    row = selection.iloc[0]
    day = str(row.s2_dates[0]).replace("-", "")
    x, y = row.patch.split("_")[1:]
    with rasterio.open(place / "s2" / f"{row.tile}_{day}_S2_{x}_{y}.tif") as source:
        assert source.crs.to_epsg() == 32755
        assert source.tags()["TIFFTAG_IMAGEDESCRIPTION"] == RASTER_DESCRIPTION


def test_smaller_shares_are_parts_of_larger_ones():
    selection = load_selection(ensure_sample(32, 7))
    patches = {}
    for share in transfer.TRANSFER_SHARES:
        rows = transfer._rows_of_share(selection, share, 4)
        patches[share] = set(rows.loc[rows["split"] == "train", "patch"])
    assert [len(names) for names in patches.values()] == [4, 12, 64]
    assert patches[5] < patches[20] < patches[100]


def test_the_steps_are_those_of_the_samples_training(place):
    """With a few dozen, a network from scratch is cut off, whatever its patches could teach it."""
    own = SAMPLE_SETTINGS.epochs * SAMPLE_SETTINGS.passes_per_epoch * 64 // 4
    assert own == transfer.UPDATES
    settings = transfer._settings(place, 3, transfer.UPDATES)  # one batch of four patches
    assert (settings.epochs, settings.passes_per_epoch, settings.seed) == (15, 64, 3)
    short = transfer._settings(place, 3, 64)
    assert (short.epochs, short.passes_per_epoch) == (4, 16)


def test_its_images_are_those_of_other_instruments(place):
    """The gain, haze and offset of the module, measured on the images of one patch."""
    row = load_selection(place).iloc[0]
    source = ensure_sample(32, 7)
    selection = load_selection(source)
    tile, x, y = row.patch.split("_")
    tile_of_sample = {new: old for old, new in transfer._TILE_IN_SOUTH.items()}[tile]
    row_of_sample = selection.set_index("patch", drop=False).loc[f"{tile_of_sample}_{x}_{y}"]
    images = read_patch(place, row)
    before = read_patch(source, row_of_sample)
    np.testing.assert_array_equal(images.reference, before.reference)
    # A straight line through a band's pixels of one date gives its calibration.
    near_infrared = before.s2[0, ..., 6].ravel()
    gain, _ = np.polyfit(near_infrared, images.s2[0, ..., 6].ravel(), 1)
    assert gain == pytest.approx(transfer._GAIN[6], abs=0.1)
    decibels = 10 * np.log10(images.s1.mean() / before.s1.mean())
    assert decibels == pytest.approx(-1.5, abs=0.2)
    again = transfer._imaged_by_another_instrument(before, row_of_sample.patch)[1]
    np.testing.assert_array_equal(again, images.s2)  # the same draws each time


def test_dates_move_by_six_months():
    days = np.array(["2020-07-31", "2020-08-30", "2020-09-30", "2020-11-30"], "datetime64[D]")
    moved = transfer._half_a_year_later(days)
    assert moved.astype(str).tolist() == ["2021-01-28", "2021-02-28", "2021-03-28", "2021-05-28"]


@pytest.mark.slow
def test_both_ways_are_trained_and_recorded(sample_model, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path / "results"))
    monkeypatch.setattr(transfer, "TRANSFER_SHARES", (5,))
    monkeypatch.setattr(transfer, "_LEAST_EPOCHS", 1)
    rows_of_share = transfer._rows_of_share

    def few_rows(*arguments):
        """A few patches of each split, so that it is fast."""
        return rows_of_share(*arguments).groupby("split").head(4)

    monkeypatch.setattr(transfer, "_rows_of_share", few_rows)
    folders = run_transfer(sample_model, seeds=[3], updates=2, size=32, folder=tmp_path / "data")
    assert capsys.readouterr().out == ""  # unless `progress` asks for it
    untouched = results.read_record_from(folders[0]).metadata
    assert untouched.evaluation["trained_on"] == "sample" and untouched.dataset == "south"
    scratch, tuned = (
        results.read_record("south", f"s2_10c-5-{ending}", 3) for ending in ("scratch", "tuned")
    )
    assert scratch.metadata.start_from is None
    assert tuned.metadata.start_from["left"] == []
    assert scratch.metadata.settings["passes_per_epoch"] == 2  # one step each
    assert scratch.patches == tuned.patches and len(scratch.patches) == 4
    difference = results.paired_difference([tuned], [scratch])
    assert difference.seeds == 1
    longer = {"seeds": [3], "updates": 8, "size": 32, "folder": tmp_path / "data"}
    with pytest.raises(RecordError, match=r"of other settings .*: .*--replace-records"):
        run_transfer(sample_model, **longer)

    monkeypatch.setattr(
        transfer, "_rows_of_share", lambda *arguments: few_rows(*arguments).groupby("split").head(3)
    )
    other_data = {"seeds": [3], "updates": 2, "size": 32, "folder": tmp_path / "data"}
    with pytest.raises(RecordError, match=r"holds a record of other data.*--replace-records"):
        run_transfer(sample_model, **other_data)
    kept = results.read_record_from(folders[0]).metadata
    assert kept.fingerprint == untouched.fingerprint


@pytest.mark.fault("transfer: a folder of other files for the data -> one line, all stays")
@pytest.mark.parametrize("name", ["notes.txt", "dataset.toml"])
def test_a_folder_of_other_files_is_kept(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(FileError, match="holds something else than the data of the place south"):
        transfer._write_place(tmp_path, 5, 32)
    assert (tmp_path / name).read_text() == "mine"


def test_an_earlier_draw_is_replaced(tmp_path, monkeypatch):
    rows_of_share = transfer._rows_of_share

    def training_rows(*arguments):
        """Those that differ from share to share: 12 patches and 4."""
        return rows_of_share(*arguments).query("split == 'train'")

    monkeypatch.setattr(transfer, "_rows_of_share", training_rows)
    root = tmp_path / "south"
    transfer._write_place(root, 20, 32)
    earlier = list_files(root)
    transfer._write_place(root, 5, 32)
    fresh = transfer._write_place(tmp_path / "fresh", 5, 32)
    assert list_files(root) == list_files(fresh) != earlier
    assert {path.name for path in tmp_path.iterdir()} == {"south", "fresh"}


@pytest.mark.fault("transfer: a network of other data, too few steps -> one line")
def test_what_cannot_be_transferred_is_refused(sample_model, tmp_path):
    with pytest.raises(MultiSenGEError, match="2 steps: give at least 4"):
        run_transfer(sample_model, updates=2)
    experiment = replace(get_experiment("s2_10c"), filters=2)
    card = model_card(experiment, TYPOLOGIES["10c"], 32, "elsewhere")
    other = save_model(build_model(experiment, 32), card, tmp_path / "other.keras")
    with pytest.raises(ModelError, match="was trained on elsewhere"):
        run_transfer(other)
