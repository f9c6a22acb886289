"""pictures: one picture file as pixels; of the formats named here alone, and of a size that is looked at first.

A format that is not named may be a program: Pillow gives PostScript to Ghostscript.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from thalweg.errors import DataError, FormatError
from thalweg.files import length, opened, reason
from thalweg.limits import beyond, limit, within

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
DEEP = ("I;16", "I;16B", "I;16L", "I;16N")  # 16 bits of grey


def suffixes() -> set[str]:
    """How the names of files in these formats end."""
    return {suffix for suffix, form in Image.registered_extensions().items() if form in FORMATS}


def read(path: Path, size: tuple[int, int], *, colours: bool) -> np.ndarray:
    """float32 [height, width], or [height, width, 3] of `colours`, from 0 to 255.

    A photo stands as it was taken: where its EXIF says how the camera was held, it is turned and mirrored by that.

    Args:
        path: the file.
        size: height and width that the picture is brought to.
        colours: whether red, green and blue stay apart.

    Raises:
        DataError: the file is missing or damaged, of another format, too large, of several pictures, partly
            transparent, or of numbers whose white is not known.
    """
    if limit("picture_pixels") > (Image.MAX_IMAGE_PIXELS or 0):
        Image.MAX_IMAGE_PIXELS = limit("picture_pixels")  # as the person asked; Pillow's own is the higher one else
    try:
        with opened(path) as file:
            within("picture_bytes", length(file), path)
            with Image.open(file, formats=FORMATS) as image:
                within("picture_pixels", image.width * image.height, path)
                if getattr(image, "is_animated", False) and image.format != "MPO":  # a camera's preview beside it
                    raise FormatError("it holds several pictures")
                plain = (
                    _plain(ImageOps.exif_transpose(image)).convert("RGB" if colours else "L").resize((size[1], size[0]))
                )
                return np.asarray(plain, np.float32)
    except DataError:
        raise
    except Image.DecompressionBombError as error:  # twice Pillow's own limit
        raise beyond("picture_pixels", path) from error
    except Exception as error:  # the formats' parsers raise what they like
        raise DataError(
            f"{path} cannot be read as a picture: {reason(error)}.\n  Save it anew as .png, one alone."
        ) from error


def _plain(image: Image.Image) -> Image.Image:
    """The picture with 8 bits for each colour, where it is one and no guess is needed."""
    if image.mode in DEEP:
        return Image.fromarray((np.asarray(image).astype(np.float32) / 257).round().astype(np.uint8))
    if image.mode in ("I", "F"):
        raise FormatError("its numbers have 32 bits, and which of them is white is not known")
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image
    seen = image.convert("RGBA")
    if np.asarray(seen.getchannel("A")).min() < 255:
        raise FormatError("it is transparent in part, and what is behind it is not known")
    return seen
