"""Pictures of papers, made harmless: only pixels survive, in a new JPEG of our own."""

import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import PurePath

from django.core.files.uploadedfile import UploadedFile
from PIL import Image, ImageOps, UnidentifiedImageError

MOST_BYTES = 10 * 2**20
MOST_PIXELS = 25_000_000
SHORTEST_SIDE = 200
LONGEST_SIDE = 3000
QUALITY = 88
SIGNATURES = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n"}
EXTENSIONS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}

# Pillow only warns of pictures that unpack to gigabytes.
warnings.simplefilter("error", Image.DecompressionBombWarning)


class PictureRefused(Exception):
    """The file is no picture we take; the message tells the sender what to do."""


@dataclass(frozen=True)
class Picture:
    """A clean JPEG and its measures."""

    content: bytes
    width: int
    height: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def clean_picture(upload: UploadedFile) -> Picture:  # type: ignore[type-arg]
    """Re-encode an uploaded JPEG or PNG without metadata, tail or transparency.

    Raises PictureRefused for anything else: another kind of file or name, too big, too small,
    damaged. Nothing is unpacked before its measures are known.
    """
    if not upload.size:
        raise PictureRefused("The file is empty. Choose the picture again.")
    if upload.size > MOST_BYTES:
        raise PictureRefused("The file is larger than 10 MB. Send a smaller picture.")
    content = upload.read()
    kind = _kind(content, upload.name or "")
    try:
        with Image.open(io.BytesIO(content), formats=[kind]) as image:
            _check_measures(*image.size)
            return _encoded(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureRefused(_TOO_MANY_PIXELS) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise PictureRefused("The picture is damaged. Take it again and send that.") from error


_TOO_MANY_PIXELS = "The picture has more than 25 megapixels. Send a smaller one."


def _kind(content: bytes, name: str) -> str:
    """JPEG or PNG, when the first bytes and the name agree on it."""
    kind = next((kind for kind, head in SIGNATURES.items() if content.startswith(head)), None)
    if kind is None:
        raise PictureRefused("Only JPEG and PNG pictures can be sent.")
    if EXTENSIONS.get(PurePath(name).suffix.lower()) != kind:
        raise PictureRefused(f"The file is a {kind} picture, but its name says otherwise.")
    return kind


def _check_measures(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise PictureRefused(_TOO_MANY_PIXELS)
    if min(width, height) < SHORTEST_SIDE:
        raise PictureRefused("The picture is too small to be read. Send a larger one.")


def _encoded(image: Image.Image) -> Picture:
    image.seek(0)
    image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    if upright.mode in {"RGBA", "LA", "PA"} or "transparency" in upright.info:
        layer = upright.convert("RGBA")
        upright = Image.new("RGB", layer.size, "white")
        upright.paste(layer, mask=layer)
    # A fresh canvas carries nothing but the pixels.
    canvas = Image.new("RGB", upright.size)
    canvas.paste(upright.convert("RGB"))
    out = io.BytesIO()
    canvas.save(out, "JPEG", quality=QUALITY)
    return Picture(out.getvalue(), *canvas.size)
