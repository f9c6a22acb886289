"""One picture file: its formats, its bits, its colours, what is behind it."""

import io

import numpy as np
import pytest
from PIL import Image

from thalweg.errors import DataError
from thalweg.recipes.image import files, pictures

RAMP = np.linspace(0, 65535, 64).round().astype(np.uint16).reshape(8, 8)


def saved(path, image, **options):
    image.save(path, **options)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_of_grey_keep_their_scale(tmp_path, name):
    path = saved(tmp_path / name, Image.fromarray(RAMP))
    x = pictures.read(path, (8, 8), colours=False)
    np.testing.assert_array_equal(x, (RAMP / 257).round())
    assert pictures.read(path, (8, 8), colours=True).shape == (8, 8, 3)


@pytest.mark.parametrize(("cmyk", "rgb"), [((0, 0, 0, 0), 255), ((255, 255, 255, 255), 0), ((0, 0, 0, 255), 0)])
def test_ink_becomes_light(tmp_path, cmyk, rgb):
    path = saved(tmp_path / "a.tif", Image.new("CMYK", (8, 8), cmyk))
    np.testing.assert_array_equal(pictures.read(path, (8, 8), colours=True), rgb)


def test_a_palette_is_looked_up(tmp_path):
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    for name in ("a.gif", "a.png"):
        path = saved(tmp_path / name, image)
        np.testing.assert_array_equal(pictures.read(path, (8, 8), colours=True)[0, 0], [200, 100, 50])
        grey = round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)
        np.testing.assert_allclose(pictures.read(path, (8, 8), colours=False), grey, atol=1)


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
def test_what_is_behind_a_picture_is_not_guessed(tmp_path, mode):
    opaque, clear = (Image.new("RGBA", (8, 8), (9, 9, 9, alpha)).convert(mode) for alpha in (255, 0))
    options = {"transparency": 0} if mode == "P" else {}
    np.testing.assert_array_equal(pictures.read(saved(tmp_path / "a.png", opaque), (8, 8), colours=False), 9)
    with pytest.raises(DataError, match=r"a\.png .*transparent in part.*\n  "):
        pictures.read(saved(tmp_path / "a.png", clear.convert("P") if mode == "P" else clear, **options),
                      (8, 8), colours=False)  # fmt: skip


def test_several_pictures_in_one_file_are_refused(tmp_path):
    frames = [Image.new("L", (8, 8), n) for n in (0, 99)]
    path = saved(tmp_path / "a.gif", frames[0], save_all=True, append_images=frames[1:])
    with pytest.raises(DataError, match=r"several pictures.*\n  Save it anew as \.png, one alone"):
        pictures.read(path, (8, 8), colours=False)


def test_a_cameras_preview_is_passed_over(tmp_path):
    frames = [Image.new("RGB", (8, 8), (n, n, n)) for n in (99, 0)]
    path = tmp_path / "a.jpg"
    frames[0].save(path, "MPO", save_all=True, append_images=frames[1:])
    np.testing.assert_allclose(pictures.read(path, (8, 8), colours=True), 99, atol=2)


def test_only_the_named_formats_are_opened(tmp_path, monkeypatch):
    content = io.BytesIO()
    Image.new("L", (8, 8)).save(content, "TGA")
    (tmp_path / "a.png").write_bytes(content.getvalue())
    with pytest.raises(DataError, match="cannot identify"):
        pictures.read(tmp_path / "a.png", (8, 8), colours=False)
    assert {".png", ".jpg", ".tif", ".gif", ".bmp", ".webp", ".pgm"} <= pictures.suffixes()
    assert not {".eps", ".ps", ".wmf", ".pdf", ".tga", ".psd", ".jp2"} & pictures.suffixes()
    with pytest.raises(DataError, match=r"\.eps is none of the kinds"):
        files.read(saved(tmp_path / "a.eps", Image.new("L", (8, 8))), (8, 8))


def test_the_environment_raises_the_limit_of_pixels(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.png", Image.new("L", (40, 30), 7))
    monkeypatch.setenv("THALWEG_LIMIT_PICTURE_PIXELS", "1199")
    with pytest.raises(DataError, match="more than 1,199 pixels; that is the limit picture_pixels"):
        pictures.read(path, (3, 3), colours=False)
    monkeypatch.setenv("THALWEG_LIMIT_PICTURE_PIXELS", "1200")
    np.testing.assert_array_equal(pictures.read(path, (3, 3), colours=False), 7)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 9)  # Pillow's own limit stays below what a person asked for
    np.testing.assert_array_equal(pictures.read(path, (3, 3), colours=False), 7)
    assert Image.MAX_IMAGE_PIXELS == 1200
