"""Names of keys and their keysyms (X11, as RFB's KeyEvent carries them: RFC 6143 §7.5.4).

Three vocabularies are understood, all at once: X11's (`Return`, `Page_Up`, `Shift_L`, `KP_0`),
Universe's (`enter`, `pgup`, `lshift`, `kp0`) and a few of the browsers' (`ArrowUp`, `PageUp`,
`Control`). A single character is its own name. No Shift is ever added: `A` is the keysym of `A`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from operator import index
from types import MappingProxyType

from auniverse.errors import InvalidActionError

#: One keysym a line, then its names, the canonical one first.
_NAMED = """
0020 space spacebar sb
ff08 BackSpace bsp
ff09 Tab tab
ff0a Linefeed
ff0b Clear
ff0d Return return enter Enter
ff13 Pause pause
ff14 Scroll_Lock scrlk ScrollLock
ff15 Sys_Req sysrq
ff1b Escape esc
ff50 Home home
ff51 ArrowLeft left Left
ff52 ArrowUp up Up
ff53 ArrowRight right Right
ff54 ArrowDown down Down
ff55 Page_Up pgup Prior PageUp
ff56 Page_Down pgdn Next PageDown
ff57 End end
ff58 Begin
ff60 Select
ff61 Print PrintScreen
ff62 Execute
ff63 Insert ins
ff65 Undo
ff66 Redo
ff67 Menu ContextMenu
ff68 Find
ff69 Cancel
ff6a Help
ff6b Break
ff7e Mode_switch
ff7f Num_Lock numlk NumLock
ff80 KP_Space
ff89 KP_Tab
ff8d KP_Enter kpenter
ff95 KP_Home
ff96 KP_Left
ff97 KP_Up
ff98 KP_Right
ff99 KP_Down
ff9a KP_Page_Up KP_Prior
ff9b KP_Page_Down KP_Next
ff9c KP_End
ff9d KP_Begin
ff9e KP_Insert
ff9f KP_Delete
ffaa KP_Multiply
ffab KP_Add
ffac KP_Separator
ffad KP_Subtract
ffae KP_Decimal
ffaf KP_Divide
ffbd KP_Equal
ffe1 Shift_L lshift shift
ffe2 Shift_R rshift
ffe3 Control_L lctrl ctrl Control
ffe4 Control_R rctrl
ffe5 Caps_Lock caplk CapsLock
ffe6 Shift_Lock
ffe7 Meta_L lmeta meta
ffe8 Meta_R rmeta
ffe9 Alt_L lalt alt
ffea Alt_R ralt
ffeb Super_L lsuper super
ffec Super_R rsuper
ffed Hyper_L lhyper hyper
ffee Hyper_R rhyper
fe03 ISO_Level3_Shift AltGraph
fe20 ISO_Left_Tab
ffff Delete delete del
"""

#: Names of the characters ! to ~ that are no letters and digits. Universe sent a backslash for
#: `slash` (its table was off by one name); we do not copy that: slash is 2f.
_PUNCTUATION = """
! exclam
" quotedbl
# numbersign
$ dollar
% percent
& ampersand
' apostrophe quoteright
( parenleft
) parenright
* asterisk
+ plus
, comma
- minus
. period
/ slash fslash
: colon
; semicolon
< less
= equal
> greater
? question
@ at
[ bracketleft
\\ backslash bslash
] bracketright
^ asciicircum
_ underscore
` grave quoteleft
{ braceleft
| bar
} braceright
~ asciitilde
"""

#: Where Unicode begins in the space of keysyms (X11 protocol, appendix A).
_UNICODE = 0x01000000


def _names() -> Iterator[tuple[str, int]]:
    for line in _NAMED.split("\n")[1:-1]:
        code, *names = line.split()
        yield from ((name, int(code, 16)) for name in names)
    for line in _PUNCTUATION.split("\n")[1:-1]:
        character, *names = line.split()
        yield from ((name, ord(character)) for name in names)
    for number in range(1, 36):
        yield from ((name, 0xFFBD + number) for name in (f"F{number}", f"f{number}"))
    for digit in range(10):
        yield from ((name, 0xFFB0 + digit) for name in (f"KP_{digit}", f"kp{digit}"))


#: Every name of more than one character, and its keysym. A keysym's canonical name stands before
#: its other names.
KEYSYMS: Mapping[str, int] = MappingProxyType(dict(_names()))

_FOLDED = {name.casefold(): code for name, code in KEYSYMS.items()}
_CANONICAL: dict[int, str] = {}
for _name, _code in KEYSYMS.items():
    if not 0x20 < _code < 0x7F:  # a printable character is its own name
        _CANONICAL.setdefault(_code, _name)


def keysym(name: str | int) -> int:
    """Return the keysym of a key.

    Args:
        name: A name of `KEYSYMS` (in any case: no two differ by case alone), a single character
            (Latin-1 is its code point, the rest 0x01000000 + code point), hexadecimal as
            `key_name` writes it ("0xbeef1"), or a keysym, which is returned as it is.

    Raises:
        InvalidActionError: There is no such key, or a number that does not fit into 32 bits.
    """
    if isinstance(name, str):
        return _keysym_of(name)
    try:
        code = index(name)  # NumPy's integers come out as Python's
    except TypeError:
        code = -1
    if isinstance(name, bool) or not 0 <= code <= 0xFFFFFFFF:
        raise InvalidActionError(f"{name!r} is neither a key's name nor a keysym")
    return code


def key_name(keysym: int) -> str:
    """Return a keysym's canonical name: `ArrowUp`, `space`, `a`, `é`; if it has none, `0xbeef1`."""
    name = _CANONICAL.get(keysym)
    if name is not None:
        return name
    if 0x20 < keysym < 0x7F or 0xA0 <= keysym <= 0xFF:
        return chr(keysym)
    if 0x100 <= keysym - _UNICODE <= 0x10FFFF and not 0xD800 <= keysym - _UNICODE <= 0xDFFF:
        return chr(keysym - _UNICODE)
    return f"{keysym:#x}"


def _keysym_of(name: str) -> int:
    if len(name) == 1:
        code = ord(name)
        if 0xD800 <= code <= 0xDFFF:
            raise InvalidActionError(f"{name!r} is half of a character")
        return code if code <= 0xFF else _UNICODE + code
    if name in KEYSYMS:
        return KEYSYMS[name]
    if name.casefold() in _FOLDED:
        return _FOLDED[name.casefold()]
    if name.startswith("0x") and len(name) <= 10:
        try:
            return int(name, 16)
        except ValueError:
            pass
    near = get_close_matches(name[:40], KEYSYMS, 4)
    hint = f"; near it are {', '.join(near)}" if near else ""
    raise InvalidActionError(f"there is no key {name[:40]!r}{hint}")
