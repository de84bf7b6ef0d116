"""Makes the report's font: ``python tests/reporting/make_font.py``; needs ``fonttools``, ``brotli`` and ``ziamath``.

Run it again with more code points when ``test_formulas.py`` names one that is missing.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

TARGET = Path(__file__).parents[2] / "mdnn_verify" / "reporting" / "fonts" / "report-math.woff2"
NAME = "Report Math"  # not the original's: the licence asks modified versions to keep clear of reserved names

TEXT = ((0x20, 0x7E), (0xA0, 0xFF), (0x100, 0x17F), (0x2C6, 0x2DD), (0x300, 0x338), (0x2010, 0x2027), (0x2030, 0x205E))
LETTERS = ((0x370, 0x3FF), (0x237, 0x237), (0x2070, 0x209C), (0x2100, 0x214F))
OPERATORS = (
    (0x2061, 0x2064), (0x20D0, 0x20D7), (0x20DB, 0x20DC), (0x2190, 0x2199), (0x219D, 0x21A6), (0x21BC, 0x21C5),
    (0x21CC, 0x21D5), (0x2200, 0x22FF), (0x2308, 0x230B), (0x23B4, 0x23B5), (0x23DC, 0x23E1), (0x25A0, 0x25A1),
    (0x25B2, 0x25BD), (0x25CB, 0x25CF), (0x27E6, 0x27EB), (0x27F5, 0x27FC), (0x2A00, 0x2A06), (0x2A3F, 0x2A3F),
    (0x2A74, 0x2A76), (0x2A7D, 0x2A7E), (0x2AAF, 0x2AB0), (0xFE00, 0xFE00),
)  # fmt: skip
ALPHABETS = (
    (0x1D400, 0x1D467),
    (0x1D49C, 0x1D4CF),
    (0x1D504, 0x1D51D),
    (0x1D538, 0x1D56B),
    (0x1D6A4, 0x1D71B),
    (0x1D7CE, 0x1D7E1),
)


def make() -> None:
    """The subset with its MATH table and the layout features that browsers use, without hinting."""
    spec = importlib.util.find_spec("ziamath")
    source = Path(str(spec.origin)).parent / "fonts" / "STIXTwoMath-Regular.ttf"
    options = subset.Options(flavor="woff2", hinting=False, name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14])
    options.layout_features = ["kern", "ccmp", "mark", "mkmk", "ssty", "dtls", "flac"]
    options.drop_tables += ["DSIG"]
    font = subset.load_font(str(source), options)
    cutter = subset.Subsetter(options)
    cutter.populate(
        unicodes=[point for low, high in (*TEXT, *LETTERS, *OPERATORS, *ALPHABETS) for point in range(low, high + 1)]
    )
    cutter.subset(font)
    rename(font)
    subset.save_font(font, str(TARGET), options)
    print(f"{TARGET.name}: {TARGET.stat().st_size / 1000:.0f} kB, {font['maxp'].numGlyphs} glyphs")


def rename(font: TTFont) -> None:
    for record in font["name"].names:
        if record.nameID in (1, 3, 4, 6):
            record.string = NAME.replace(" ", "") if record.nameID == 6 else NAME


if __name__ == "__main__":
    make()
