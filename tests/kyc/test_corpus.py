"""What people, and worse, send as a picture."""

import io
import struct
import time
import zlib

import pytest
from PIL import Image

from compliance.services.images import PictureRefused, clean_picture
from tests.kyc.papers import picture_bytes, upload


def png_bomb(side: int) -> bytes:
    """A PNG of a few kilobytes that unpacks to hundreds of megabytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    rows = zlib.compressobj(9)
    line = b"\0" * (side // 8 + 1)
    body = b"".join(rows.compress(line) for _ in range(side)) + rows.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
REFUSED = {
    "svg": (SVG, "front.svg", "Only JPEG and PNG"),
    "svg named jpg": (SVG, "front.jpg", "Only JPEG and PNG"),
    "html": (b"<!doctype html><script>1</script>", "front.png", "Only JPEG and PNG"),
    "gif": (picture_bytes("GIF"), "front.gif", "Only JPEG and PNG"),
    "gif that is script": (b"GIF89a=1;alert(1)//", "front.jpg", "Only JPEG and PNG"),
    "tiff": (picture_bytes("TIFF"), "front.jpg", "Only JPEG and PNG"),
    "program": (b"MZ\x90\0" + b"\0" * 99, "front.jpg", "Only JPEG and PNG"),
    "zip": (b"PK\3\4" + b"\0" * 99, "front.png", "Only JPEG and PNG"),
    "pdf": (b"%PDF-1.7\n", "front.jpg", "Only JPEG and PNG"),
    "png named jpg": (picture_bytes("PNG"), "front.jpg", "its name says otherwise"),
    "jpeg named png": (picture_bytes("JPEG"), "front.png", "its name says otherwise"),
    "jpeg without a name": (picture_bytes("JPEG"), "front", "its name says otherwise"),
    "jpeg named twice": (picture_bytes("JPEG"), "front.jpg.exe", "its name says otherwise"),
    "truncated jpeg": (picture_bytes("JPEG")[:-400], "front.jpg", "damaged"),
    "truncated png": (picture_bytes("PNG")[:200], "front.png", "damaged"),
    "head alone": (b"\xff\xd8\xff", "front.jpg", "damaged"),
    "empty": (b"", "front.jpg", "empty"),
    "11 MB": (picture_bytes() + b"\0" * (11 * 2**20), "front.jpg", "larger than 10 MB"),
    "26 megapixels": (picture_bytes("PNG", (6500, 4001)), "front.png", "25 megapixels"),
    "12000 squared": (png_bomb(12_000), "front.png", "25 megapixels"),
    "20000 squared": (png_bomb(20_000), "front.png", "25 megapixels"),
    "thumbnail": (picture_bytes(size=(199, 400)), "front.jpg", "too small"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_hostile_file_is_refused_quickly_and_in_words(case: str) -> None:
    content, name, words = REFUSED[case]
    started = time.monotonic()

    with pytest.raises(PictureRefused, match=words):
        clean_picture(upload(content, name))

    assert time.monotonic() - started < 2


def test_place_and_camera_do_not_survive() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera of Chloe"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (51.0, 27.0, 14.0)
    sent = picture_bytes(exif=exif, comment=b"from my kitchen")
    assert b"Camera of Chloe" in sent

    clean = clean_picture(upload(sent))

    with Image.open(io.BytesIO(clean.content)) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (640, 400))
        assert dict(image.getexif()) == {}
        assert "comment" not in image.info
    assert b"Camera" not in clean.content
    assert b"kitchen" not in clean.content


@pytest.mark.parametrize(("kind", "name"), [("JPEG", "front.JPG"), ("PNG", "front.png")])
def test_tail_behind_the_picture_does_not_survive(kind: str, name: str) -> None:
    tail = b"<script>steal()</script>PK\3\4"

    clean = clean_picture(upload(picture_bytes(kind) + tail, name))

    assert b"steal" not in clean.content
    assert clean.content.endswith(b"\xff\xd9")


def test_picture_taken_sideways_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    clean = clean_picture(upload(picture_bytes(exif=exif)))

    assert (clean.width, clean.height) == (400, 640)


def test_transparent_png_lies_on_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (300, 300), (0, 0, 0, 0)).save(out, "PNG")

    clean = clean_picture(upload(out.getvalue(), "front.png"))

    with Image.open(io.BytesIO(clean.content)) as image:
        assert image.getpixel((150, 150)) == (255, 255, 255)


def test_large_picture_is_taken_smaller() -> None:
    clean = clean_picture(upload(picture_bytes(size=(6000, 4000))))

    assert (clean.width, clean.height) == (3000, 2000)
