"""Record one's own typing in a browser, enrol, and see each further attempt judged.

`Session` is what happens to attempts, without a network: it takes the key events of a page,
judges whether they spell the text, enrols after so many, and verifies what comes then.
`CaptureServer` shows the page of `hawkeys capture` to one browser of this machine; it needs the
extra ``[capture]``.
"""

from hawkeys.capture.attempts import AttemptFile
from hawkeys.capture.server import CaptureServer
from hawkeys.capture.session import Answer, Session

__all__ = ["Answer", "AttemptFile", "CaptureServer", "Session"]
