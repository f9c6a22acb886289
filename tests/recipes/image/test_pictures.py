"""One picture file: its formats, its bits, its colours, what is behind it."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

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


def by_hand(pixels, orientation):
    """What the camera saw, of what it stored: the eight cases of EXIF's tag 0x0112."""
    turned = {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.swapaxes(0, 1),
        6: pixels[::-1].swapaxes(0, 1),
        7: pixels[::-1, ::-1].swapaxes(0, 1),
        8: pixels[:, ::-1].swapaxes(0, 1),
    }
    return turned[orientation]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("colours", [False, True])
@pytest.mark.parametrize("kind", ["a.png", "a.tif", "a.webp", "a.jpg", "deep.png", "a.mpo.jpg"])
def test_a_photo_stands_as_it_was_taken(tmp_path, orientation, colours, kind):
    pixels = np.random.default_rng(orientation).integers(0, 255, (4, 6, 3), np.uint8)
    if kind in ("a.jpg", "a.mpo.jpg"):
        pixels = np.kron(pixels, np.ones((16, 16, 1), np.uint8))  # squares that its compression keeps
    image = Image.fromarray(RAMP[:4, :6]) if kind == "deep.png" else Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "a.webp" else {"quality": 100, "subsampling": 0} if "jpg" in kind else {}
    if kind == "a.mpo.jpg":
        options |= {"format": "MPO", "save_all": True, "append_images": [image]}
    path = saved(tmp_path / kind, image, exif=exif, **options)
    stored = np.asarray(image.convert("RGB" if colours else "L"), np.float32)
    if kind == "deep.png":
        stored = (RAMP[:4, :6] / 257).round().astype(np.float32)
        stored = np.repeat(stored[..., None], 3, axis=2) if colours else stored
    expected = by_hand(stored, orientation)
    found = pictures.read(path, expected.shape[:2], colours=colours)
    np.testing.assert_allclose(found, expected, atol=4 if "jpg" in kind else 0)
    if kind != "deep.png":
        with Image.open(path) as opened:
            oracle = ImageOps.exif_transpose(opened).convert("RGB" if colours else "L")
        np.testing.assert_array_equal(found, np.asarray(oracle, np.float32))
