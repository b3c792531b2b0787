"""Pictures made in memory, ordinary and hostile ones."""

import random
import struct
import zlib
from io import BytesIO

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo


def encoded(image, kind="PNG", **options):
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def picture(kind="PNG", size=(40, 20), mode="RGB", colour="red", **options):
    return encoded(Image.new(mode, size, colour), kind, **options)


def noise(kind="PNG", size=(300, 300), **options):
    """A picture that does not compress, so that a truncated file lacks pixels."""
    return encoded(Image.frombytes("RGB", size, random.Random(1).randbytes(3 * size[0] * size[1])), kind, **options)


def png_chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def text_bomb():
    """A PNG whose comment unpacks to 100 MB."""
    whole = picture()
    bomb = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000)))
    return whole[:33] + bomb + whole[33:]


def png_of_zeros(size, *, depth=8, colour_type=2):
    """A PNG of any size, written row by row: Pillow would need the very memory that reading it must not take."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type]
    packer = zlib.compressobj(9)
    row = bytes(1 + (size[0] * depth * channels + 7) // 8)
    packed = b"".join(packer.compress(row) for _ in range(size[1])) + packer.flush()
    header = struct.pack(">IIBBBBB", *size, depth, colour_type, 0, 0, 0)
    palette = png_chunk(b"PLTE", bytes(3 * 256)) if colour_type == 3 else b""
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + palette
        + png_chunk(b"IDAT", packed)
        + png_chunk(b"IEND", b"")
    )


def with_notes(content, kind="JPEG"):
    """The same picture with a camera name, a GPS position, a caption, XMP, a comment and an HTML page after its end."""
    image = Image.open(BytesIO(content))
    exif = Image.Exif()
    exif[0x010F] = "CanaryCamera"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (51.0, 30.0, 26.0)
    options = {"exif": exif}
    if kind == "PNG":
        text = PngInfo()
        text.add_text("Comment", "CanaryComment")
        text.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>CanaryXmp</x:xmpmeta>")
        options["pnginfo"] = text
    else:
        options |= {"xmp": b"<x:xmpmeta>CanaryXmp</x:xmpmeta>"}
    if kind == "JPEG":
        options["comment"] = b"CanaryComment"
    return encoded(image, kind, **options) + b"<html><script>canary()</script>"


def swapped_profile():
    """An sRGB profile that says red where it means blue: colours come out right only if it is read."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"????", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"????", b"bXYZ", 1)


def jpeg_of_many_scans(scans, size=(64, 64)):
    """A progressive JPEG that refines its first scan again and again."""
    content = picture("JPEG", size, progressive=True)
    start = content.index(b"\xff\xda")
    length = int.from_bytes(content[start + 2 : start + 4], "big")
    end = start + 2 + length
    while content[end] != 0xFF or content[end + 1] in (0, *range(0xD0, 0xD8)):
        end += 1
    return content[:end] + content[start:end] * (scans - 1) + content[end:]
