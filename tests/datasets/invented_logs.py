"""Invented typing as every logger would write it."""

import json

import numpy as np

# name, press and release of each key in whole microseconds: rollover, Shift, a key typed twice
STROKES = [
    ("Shift", 1_000, 251_500), ("H", 120_250, 210_125), ("e", 300_000, 395_001),
    ("l", 380_007, 460_000), ("l", 560_000, 640_999), ("o", 612_345, 720_000),
    ("Space", 800_000, 905_000), ("1", 1_000_000, 1_080_500), ("Return", 1_200_000, 1_301_000),
]  # fmt: skip
EPOCH = 1_700_000_000  # seconds
YEAR_1 = 62_135_596_800  # seconds from the year 1 to 1970
EVDEV = {"Shift": "KEY_LEFTSHIFT", "Space": "KEY_SPACE", "Return": "KEY_ENTER"}
NUMBERS = {"KEY_LEFTSHIFT": 42, "KEY_H": 35, "KEY_E": 18, "KEY_L": 38, "KEY_O": 24,
           "KEY_SPACE": 57, "KEY_1": 2, "KEY_ENTER": 28}  # fmt: skip
VK = {"Shift": 16, "Space": 32, "Return": 13}


def events():
    """Return (key, down, microseconds) in order of time."""
    both = [(key, down, press if down else release)
            for key, press, release in STROKES for down in (True, False)]  # fmt: skip
    return sorted(both, key=lambda event: event[2])


def evdev(key):
    return EVDEV.get(key, f"KEY_{key.upper()}")


def vk(key):
    return VK[key] if key in VK else ord(key.upper())


def seconds(us, digits=6):
    return f"{EPOCH + us // 10**6}.{us % 10**6:06d}"[: 11 + digits]


def ms(us):
    """Return whole milliseconds, as clocks of that resolution give them."""
    return us // 1000


def pynput():
    names = {"Shift": "Key.shift", "Space": "Key.space", "Return": "Key.enter"}
    return "\n".join(f"{seconds(us)},{'press' if down else 'release'},{names.get(key, repr(key))}"
                     for key, down, us in events())  # fmt: skip


def keyboard():
    names = {"Shift": "shift", "Space": "space", "Return": "enter"}
    return "\n".join(
        json.dumps({"event_type": "down" if down else "up", "scan_code": NUMBERS[evdev(key)],
                    "name": names.get(key, key), "time": float(seconds(us)), "is_keypad": False})
        for key, down, us in events())  # fmt: skip


def evtest():
    lines = ["Input driver version is 1.0.1", "Testing ... (interrupt to exit)"]
    for key, down, us in events():
        at = f"Event: time {seconds(us)}, "
        code = evdev(key)
        lines += [f"{at}type 4 (EV_MSC), code 4 (MSC_SCAN), value 1c",
                  f"{at}type 1 (EV_KEY), code {NUMBERS[code]} ({code}), value {int(down)}",
                  f"{at}-------------- SYN_REPORT ------------"]  # fmt: skip
    return "\n".join(lines)


def python_evdev():
    rows = [f"{seconds(us)},{evdev(key)},{int(down)}" for key, down, us in events()]
    return "\n".join(["timestamp,code,value", *rows])


def evdev_text():
    return "\n".join(
        f"key event at {seconds(us)}, {NUMBERS[evdev(key)]} ({evdev(key)}), "
        f"{'down' if down else 'up'}" for key, down, us in events())  # fmt: skip


def libinput():
    lines = ["-event3   DEVICE_ADDED                 AT Translated Set 2 keyboard seat0 default"]
    lines += [f" event3   KEYBOARD_KEY                 +{ms(us) / 1000:.3f}s\t{evdev(key)} "
              f"({NUMBERS[evdev(key)]}) {'pressed' if down else 'released'}"
              for key, down, us in events()]  # fmt: skip
    return "\n".join(lines)


def browser_objects():
    codes = {"Shift": "ShiftLeft", "Space": "Space", "Return": "Enter", "1": "Digit1"}
    keys = {"Space": " ", "Return": "Enter"}
    return [{"type": "keydown" if down else "keyup", "key": keys.get(key, key),
             "code": codes.get(key, f"Key{key.upper()}"), "timeStamp": us / 1000, "repeat": False}
            for key, down, us in events()]  # fmt: skip


def aalto():
    header = ("PARTICIPANT_ID\tTEST_SECTION_ID\tSENTENCE\tUSER_INPUT\tKEYSTROKE_ID\tPRESS_TIME\t"
              "RELEASE_TIME\tLETTER\tKEYCODE")  # fmt: skip
    letters = {"Shift": "SHIFT", "Space": " ", "Return": "ENTER"}
    rows = [f'7\t3\tHe said "so.\tHello\t{k}\t{EPOCH * 1000 + ms(press)}\t'
            f"{EPOCH * 1000 + ms(release)}\t{letters.get(key, key)}\t{vk(key)}"
            for k, (key, press, release) in enumerate(STROKES)]  # fmt: skip
    rows[2], rows[3] = rows[3], rows[2]
    return "\n".join([header, *rows])


def lsia():
    presses = [ms(press) for _, press, _ in STROKES]
    flights = [-1, *np.diff(presses).tolist()]
    rows = [f"{vk(key)},{ms(release) - ms(press)},{flight}"
            for (key, press, release), flight in zip(STROKES, flights, strict=True)]  # fmt: skip
    return "\n".join(["VK,HT,FT", *rows])


def buffalo():
    names = {"Shift": "LShiftKey", "1": "D1"}
    return "\n".join(f"{names.get(key, key.upper() if len(key) == 1 else key)} "
                     f"{'KeyDown' if down else 'KeyUp'} {(YEAR_1 + EPOCH) * 1000 + ms(us)}"
                     for key, down, us in events())  # fmt: skip


def greyc():
    start = (YEAR_1 + EPOCH) * 10**7
    return "\n".join(f"{vk(key)} {start + 10 * press} {start + 10 * release}"
                     for key, press, release in STROKES)  # fmt: skip


def windows():
    return "\n".join(["time_ms,message,vkCode"] + [
        f"{123_456_789 + ms(us)},WM_{'SYS' * (key == '1')}KEY{'DOWN' if down else 'UP'},{vk(key)}"
        for key, down, us in events()])  # fmt: skip


def csv(mark):
    rows = [f"ann{mark}2{mark}{key}{mark}{'down' if down else 'up'}{mark}{us / 1e6!r}"
            for key, down, us in events()]  # fmt: skip
    return "\n".join([mark.join(["user", "session", "key", "type", "time"]), *rows])


# text, name, whether holds are whole milliseconds, whether letters are capitals already
FILES = {
    "pynput": (pynput(), "pynput", False, True),
    "pynput with tabs": (pynput().replace(",", "\t"), "pynput", False, True),
    "pynput, other order": (
        "time,key,event\n" + "\n".join(
            f"{line.split(',')[0]},{line.split(',')[2]},{line.split(',')[1].removesuffix('e')}ed"
            for line in pynput().split("\n")), "pynput", False, True),
    "keyboard": (keyboard(), "keyboard", False, True),
    "keyboard array": ("[" + ",\n".join(keyboard().split("\n")) + "]", "keyboard", False, True),
    "evtest": (evtest(), "evtest", False, False),
    "python-evdev": (python_evdev(), "evdev", False, False),
    "printed evdev": (evdev_text(), "evdev", False, False),
    "libinput": (libinput(), "libinput", True, False),
    "browser array": (json.dumps(browser_objects()), "browser", False, True),
    "browser array, indented": (json.dumps(browser_objects(), indent=1), "browser", False, True),
    "browser lines": ("\n".join(map(json.dumps, browser_objects())), "browser", False, True),
    "browser attempt": (json.dumps({"user": "ann", "events": browser_objects()}), "browser",
                        False, True),
    "aalto": (aalto(), "aalto", True, True),
    "lsia": (lsia(), "lsia", True, False),
    "buffalo": (buffalo(), "buffalo", True, False),
    "greyc-web": (greyc(), "greyc-web", False, False),
    "windows-hook": (windows(), "windows-hook", True, False),
    "semicolons": (csv(";"), "csv", False, True),
    "tabs": (csv("\t"), "csv", False, True),
    "bars": (csv("|"), "csv", False, True),
}  # fmt: skip
