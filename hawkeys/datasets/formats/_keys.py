"""Names of keys: codes of Linux, of Windows, of .NET and of browsers as one set of names.

A character key has the character that it types alone on a US keyboard ("a", "1", ";"); the others
are called as browsers call their codes ("Space", "Enter" apart, which is "Return" as in the CMU
benchmark).
"""

from __future__ import annotations

__all__ = ["dotnet_key", "linux_key", "named_key", "vk_key"]

_SYMBOLS = {
    "minus": "-", "equal": "=", "leftbrace": "[", "rightbrace": "]", "semicolon": ";",
    "apostrophe": "'", "grave": "`", "backslash": "\\", "comma": ",", "dot": ".", "slash": "/",
    "102nd": "<",
}  # fmt: skip
# what loggers call a key that types no character of its own, in lower case without punctuation
_NAMES = {
    "space": "Space", "spacebar": "Space", " ": "Space",
    "enter": "Return", "return": "Return", "\n": "Return", "\r": "Return",
    "backspace": "Backspace", "back": "Backspace", "bksp": "Backspace", "\b": "Backspace",
    "tab": "Tab", "\t": "Tab", "esc": "Escape", "escape": "Escape", "delete": "Delete",
    "del": "Delete", "insert": "Insert", "home": "Home", "end": "End",
    "shift": "Shift", "leftshift": "ShiftLeft", "shiftleft": "ShiftLeft", "lshift": "ShiftLeft",
    "shiftl": "ShiftLeft", "lshiftkey": "ShiftLeft", "rshiftkey": "ShiftRight",
    "rightshift": "ShiftRight", "shiftright": "ShiftRight", "rshift": "ShiftRight",
    "shiftr": "ShiftRight", "shiftkey": "Shift",
    "ctrl": "Control", "control": "Control", "leftctrl": "ControlLeft", "ctrll": "ControlLeft",
    "controlleft": "ControlLeft", "lcontrolkey": "ControlLeft", "rightctrl": "ControlRight",
    "ctrlr": "ControlRight", "controlright": "ControlRight", "rcontrolkey": "ControlRight",
    "controlkey": "Control",
    "alt": "Alt", "leftalt": "AltLeft", "altl": "AltLeft", "altleft": "AltLeft",
    "rightalt": "AltRight", "altr": "AltRight", "altright": "AltRight", "altgr": "AltRight",
    "lmenu": "AltLeft", "rmenu": "AltRight", "menu": "Alt",
    "capslock": "CapsLock", "capital": "CapsLock",
    "up": "ArrowUp", "down": "ArrowDown", "left": "ArrowLeft", "right": "ArrowRight",
    "arrowup": "ArrowUp", "arrowdown": "ArrowDown", "arrowleft": "ArrowLeft",
    "arrowright": "ArrowRight", "pageup": "PageUp", "pagedown": "PageDown",
    "leftmeta": "MetaLeft", "rightmeta": "MetaRight", "cmd": "Meta", "win": "Meta",
}  # fmt: skip
_VK = {
    8: "Backspace", 9: "Tab", 13: "Return", 16: "Shift", 17: "Control", 18: "Alt", 20: "CapsLock",
    27: "Escape", 32: "Space", 33: "PageUp", 34: "PageDown", 35: "End", 36: "Home",
    37: "ArrowLeft", 38: "ArrowUp", 39: "ArrowRight", 40: "ArrowDown", 45: "Insert", 46: "Delete",
    91: "MetaLeft", 92: "MetaRight", 160: "ShiftLeft", 161: "ShiftRight", 162: "ControlLeft",
    163: "ControlRight", 164: "AltLeft", 165: "AltRight", 186: ";", 187: "=", 188: ",", 189: "-",
    190: ".", 191: "/", 192: "`", 219: "[", 220: "\\", 221: "]", 222: "'", 226: "<",
}  # fmt: skip
_DOTNET = {
    "oemperiod": ".", "oemcomma": ",", "oemquestion": "/", "oem2": "/", "oemminus": "-",
    "oemplus": "=", "oemsemicolon": ";", "oem1": ";", "oemquotes": "'", "oem7": "'",
    "oemopenbrackets": "[", "oem4": "[", "oemclosebrackets": "]", "oem6": "]", "oempipe": "\\",
    "oem5": "\\", "oemtilde": "`", "oem3": "`", "oembackslash": "<", "oem102": "<",
}  # fmt: skip


def _bare(name: str) -> str:
    return name.lower().replace("_", "").replace(" ", "").replace("-", "") or name


def named_key(name: str) -> str:
    """Return the name of a key that a logger names in words; a character is itself."""
    if len(name) == 1:
        return _NAMES.get(name, name)
    return _NAMES.get(_bare(name), name)


def linux_key(code: str) -> str:
    """Return the name of a key by the kernel's code, KEY_A."""
    name = code.removeprefix("KEY_")
    bare = name.lower()
    if len(bare) == 1:
        return bare
    return _SYMBOLS.get(bare) or _NAMES.get(_bare(name), name if name == code else code)


def vk_key(code: int) -> str:
    """Return the name of a key by the virtual-key code of Windows, or the keyCode of a browser."""
    if 65 <= code <= 90:
        return chr(code).lower()
    if 48 <= code <= 57:
        return chr(code)
    if 96 <= code <= 105:
        return f"Numpad{code - 96}"
    if 112 <= code <= 135:
        return f"F{code - 111}"
    return _VK.get(code, f"VK{code}")


def dotnet_key(name: str) -> str:
    """Return the name of a key by the name that .NET gives it, "D1" or "OemPeriod"."""
    if len(name) == 1:
        return name.lower()
    if len(name) == 2 and name[0] == "D" and name[1].isdecimal():
        return name[1]
    return _DOTNET.get(name.lower()) or _NAMES.get(_bare(name), name)
