"""Identity papers that nobody could take for real ones: drawn cards, marked SPECIMEN."""

import io

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw, ImageFont

from compliance.demo.people import Person

SIZE = (900, 570)
TINTS = ["#e9f0fb", "#f3eefb", "#eaf6ef", "#fbf2e6", "#fbeaee"]
INK, QUIET, MARK = "#1d2536", "#5d6880", "#c9415a"


def passport(person: Person, *, blurred: bool = False) -> SimpleUploadedFile:
    """The front of a specimen passport as an upload; blurred is what a reviewer refuses."""
    image = Image.new("RGB", SIZE, TINTS[person.place % len(TINTS)])
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((16, 16, SIZE[0] - 16, SIZE[1] - 16), 28, outline=QUIET, width=3)
    draw.text((48, 40), "PASSPORT", INK, ImageFont.load_default(36))
    draw.text(
        (48, 86), "Republic of Nowhere, demonstration only", QUIET, ImageFont.load_default(20)
    )
    _portrait(draw, person)
    _fields(draw, person)
    _machine_lines(draw, person)
    _stamp(image)
    if blurred:
        image = image.resize((SIZE[0] // 22, SIZE[1] // 22)).resize(SIZE)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return SimpleUploadedFile("passport.jpg", out.getvalue(), content_type="image/jpeg")


def _portrait(draw: ImageDraw.ImageDraw, person: Person) -> None:
    draw.rounded_rectangle((48, 136, 258, 400), 14, fill="#ffffff", outline=QUIET, width=2)
    tone = ("#8a5a3c", "#c68d63", "#e0b48c", "#6b4430", "#f0cda8")[person.place % 5]
    draw.ellipse((108, 176, 198, 286), fill=tone)
    draw.pieslice((78, 296, 228, 500), 180, 360, fill="#3c4a68")


def _fields(draw: ImageDraw.ImageDraw, person: Person) -> None:
    rows = [
        ("Surname", person.last_name),
        ("Given name", person.first_name),
        ("Date of birth", f"{person.date_of_birth:%d %b %Y}"),
        ("Nationality", person.country),
        ("Number", person.passport_number),
    ]
    for place, (label, value) in enumerate(rows):
        y = 132 + place * 54
        draw.text((296, y), label, QUIET, ImageFont.load_default(17))
        draw.text((296, y + 19), value, INK, ImageFont.load_default(26))


def _machine_lines(draw: ImageDraw.ImageDraw, person: Person) -> None:
    name = f"P<NOW{person.last_name}<<{person.first_name}".upper()
    for place, text in enumerate((name, f"{person.passport_number}<8NOW")):
        draw.text((48, 440 + place * 44), text.ljust(38, "<"), INK, ImageFont.load_default(28))


def _stamp(image: Image.Image) -> None:
    stamp = Image.new("RGBA", (620, 130))
    draw = ImageDraw.Draw(stamp)
    draw.rounded_rectangle((4, 4, 616, 126), 18, outline=MARK, width=7)
    draw.text((310, 65), "SPECIMEN", MARK, ImageFont.load_default(92), anchor="mm")
    turned = stamp.rotate(18, expand=True)
    turned.putalpha(turned.getchannel("A").point(lambda alpha: alpha * 5 // 8))
    image.paste(turned, ((SIZE[0] - turned.width) // 2 + 90, 110), turned)
