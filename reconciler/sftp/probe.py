"""The key that a server shows to somebody who does not know it yet: nobody logs in."""

from __future__ import annotations

from reconciler.sftp.errors import HostKeyError
from reconciler.sftp.hostkey import HostKey
from reconciler.sftp.link import trusted_link
from reconciler.sftp.quiet import hush
from reconciler.sftp.target import Target


def host_key_of(host: str, port: int, *accepted: str) -> tuple[HostKey, bool]:
    """The server's key, and whether it is one of the `accepted`, a fingerprint or `type base64`.

    A server has a key of each family: the accepted one where it has it, else the one that we like best.
    Raises SftpError.
    """
    hush()
    try:
        # Without a pin no key is good, whichever it is.
        link = trusted_link(Target(host, port, "", pins=accepted))
    except HostKeyError as shown:
        return shown.key, False
    link.close()
    return link.host_key, True
