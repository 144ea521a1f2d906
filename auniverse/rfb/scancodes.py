"""Where keys are on a keyboard: the XT scancodes that QEMU's key events carry.

The keyboard is a US one. A code that a real keyboard sends behind 0xE0 has its highest bit set.
"""

from __future__ import annotations

#: The code of a row's first key, and its keys without and with shift.
_ROWS = (
    (0x02, "1234567890-=", "!@#$%^&*()_+"),
    (0x10, "qwertyuiop[]", "QWERTYUIOP{}"),
    (0x1E, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (0x2B, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
)

SCANCODES: dict[int, int] = {
    **{
        ord(key): first + place
        for first, *rows in _ROWS
        for row in rows
        for place, key in enumerate(row)
    },
    ord(" "): 0x39,
    0xFF1B: 0x01,  # Escape
    0xFF08: 0x0E,  # BackSpace
    0xFF09: 0x0F,  # Tab
    0xFF0D: 0x1C,  # Return
    0xFF8D: 0x9C,  # Return of the key pad
    0xFFE1: 0x2A,  # Shift, left and right
    0xFFE2: 0x36,
    0xFFE3: 0x1D,  # Control
    0xFFE4: 0x9D,
    0xFFE9: 0x38,  # Alt
    0xFFEA: 0xB8,
    0xFE03: 0xB8,  # the Alt that Europe calls AltGr
    0xFFEB: 0xDB,  # Super
    0xFFEC: 0xDC,
    0xFFE5: 0x3A,  # Caps Lock
    0xFF7F: 0x45,  # Num Lock
    0xFF14: 0x46,  # Scroll Lock
    **{0xFFBE + number: 0x3B + number for number in range(10)},  # F1 to F10
    0xFFC8: 0x57,  # F11, F12
    0xFFC9: 0x58,
    0xFF50: 0xC7,  # Home, and the other keys around the arrows
    0xFF52: 0xC8,  # Up
    0xFF55: 0xC9,  # Page Up
    0xFF51: 0xCB,  # Left
    0xFF53: 0xCD,  # Right
    0xFF57: 0xCF,  # End
    0xFF54: 0xD0,  # Down
    0xFF56: 0xD1,  # Page Down
    0xFF63: 0xD2,  # Insert
    0xFFFF: 0xD3,  # Delete
}
