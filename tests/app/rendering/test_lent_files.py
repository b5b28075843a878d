"""Files that were evicted and are still read: what they hold of the disk is bounded, and the first readers give way."""

import asyncio
import json
import socket
from pathlib import Path

import httpx
import pytest

from app.rendering.lent_files import LentFiles
from app.rendering.shared_file import Rendering, Withdrawn
from tests.faults.cases import small_disk
from tests.servers import Server, serving

MIB = 1024 * 1024
BOUND_S = 60
SOUNDS = 6
"""on a disk that has room for four"""


def lent(lending: LentFiles, path: Path) -> Rendering:
    """A file of a mebibyte that is read."""
    if not path.exists():
        path.write_bytes(b"a" * MIB)
    return lending.lend(Rendering(path.open("rb"), length=MIB))


def test_the_first_readers_of_evicted_files_give_way_past_the_bound(tmp_path: Path) -> None:
    lending = LentFiles(2 * MIB)
    readers = [lent(lending, tmp_path / name) for name in "abbcd"]
    kept = lent(lending, tmp_path / "kept")
    for name in "abcd":
        (tmp_path / name).unlink()
    lending.keep_within_bound()
    assert [reader.file.closed for reader in readers] == [True, True, True, False, False]
    assert not kept.file.closed
    lending.make_room()
    assert [reader.file.closed for reader in readers] == [True, True, True, True, False]
    readers[-1].leave()
    lending.make_room()  # nothing is held any more
    assert not kept.file.closed
    kept.leave()


def test_a_reader_whose_file_was_withdrawn_is_told(tmp_path: Path) -> None:
    lending = LentFiles(0)
    reader = lent(lending, tmp_path / "a")

    async def read() -> bytes:
        received = b""
        async for piece in reader.read(0, None):
            received += piece
            (tmp_path / "a").unlink(missing_ok=True)
            lending.keep_within_bound()
        return received

    with pytest.raises(Withdrawn):
        asyncio.run(read())


def stalled(server: Server, number: int) -> socket.socket:
    """Who asks for a sound of 12 MB, and reads no more than that it has begun."""
    url = httpx.URL(server.url)
    body = json.dumps(
        {"abc": f"X:1\nT:{number}\nM:4/4\nL:1/4\nQ:1/4=60\nK:C\n{'CDEF|' * 17}\n", "format": "wav"}
    ).encode()
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    reader.settimeout(BOUND_S)
    reader.connect((url.host, url.port))
    head = b"POST /render HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    reader.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert reader.recv(12).startswith(b"HTTP/1.1 ")
    return reader


def outcome(client: httpx.Client, **fields: object) -> int:
    """The status of a render; 0 where its answer was cut off, as the disk became full."""
    try:
        return client.post("/render", json=fields).status_code
    except httpx.RemoteProtocolError:
        return 0


def test_stalled_readers_do_not_keep_the_disk_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "50m") as is_mounted:
        if not is_mounted:
            pytest.skip("a small file system may not be mounted here")
        with serving(cache=str(tmp_path / "disk" / "cache"), max_cache_mb="12") as server, server.client() as client:
            readers = []
            for number in range(SOUNDS):
                readers.append(stalled(server, number))
                outcome(client, abc=f"X:1\nT:{number}\nK:C\nCDEF|\n", format="midi")
            tune = "X:1\nM:4/4\nL:1/4\nQ:1/4=60\nK:C\nCDEF|GABc|\n"
            assert [outcome(client, abc=tune, format="wav", feel=n / 10) for n in range(5)][-2:] == [200, 200]
            received = b""
            with readers[0] as first:
                while piece := first.recv(MIB):
                    received += piece
            assert not received.endswith(b"0\r\n\r\n")  # it does not pass for whole
            for reader in readers[1:]:
                reader.close()
