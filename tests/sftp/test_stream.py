"""Every byte that goes into a transfer's buffers comes out once, in order, however it is cut."""

from __future__ import annotations

import os
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paramiko.buffered_pipe import PipeTimeout

from reconciler.sftp.stream import AHEAD, LUMP, EagerSocket, Lumps

PIECES = st.lists(st.binary(max_size=50), max_size=20)
SIZES = st.lists(st.integers(min_value=1, max_value=60), min_size=1, max_size=20)


def filled(*pieces: bytes) -> Lumps:
    lumps = Lumps()
    for piece in pieces:
        lumps.feed(piece)
    return lumps


def drained(lumps: Lumps, sizes: list[int]) -> list[bytes]:
    """What comes out of a closed buffer, read in these sizes over and over."""
    lumps.close()
    taken: list[bytes] = []
    while piece := lumps.read(sizes[len(taken) % len(sizes)]):
        taken.append(piece)
    return taken


@given(PIECES, SIZES)
def test_what_arrived_is_read_once_and_in_order(pieces: list[bytes], sizes: list[int]) -> None:
    lumps = filled(*pieces)
    taken = drained(lumps, sizes)
    assert b"".join(taken) == b"".join(pieces)
    assert all(len(piece) <= sizes[n % len(sizes)] for n, piece in enumerate(taken))
    assert len(lumps) == 0


@given(PIECES, SIZES)
def test_a_socket_hands_out_what_was_sent_in_the_pieces_asked_for(
    pieces: list[bytes], sizes: list[int]
) -> None:
    near, far = socket.socketpair()
    with far, EagerSocket.over(near) as eager:
        for piece in pieces:
            far.sendall(piece)
        far.shutdown(socket.SHUT_WR)
        taken: list[bytes] = []
        while piece := eager.recv(sizes[len(taken) % len(sizes)]):
            taken.append(piece)
    assert b"".join(taken) == b"".join(pieces)


def test_a_socket_gives_more_than_it_holds_at_once_in_order() -> None:
    near, far = socket.socketpair()
    data = os.urandom(3 * AHEAD + 1)
    with far, EagerSocket.over(near) as eager:
        sender = threading.Thread(target=far.sendall, args=(data,))
        sender.start()
        taken = bytearray()
        while len(taken) < len(data):
            taken += eager.recv(100_000)
        sender.join()
    assert bytes(taken) == data


def test_a_silent_socket_times_out_as_any_other() -> None:
    near, far = socket.socketpair()
    with far, EagerSocket.over(near) as eager:
        eager.settimeout(0.01)
        with pytest.raises(TimeoutError):
            eager.recv(1)


def test_a_reader_is_given_the_whole_of_what_it_waits_for() -> None:
    lumps = Lumps()
    feeders = [threading.Timer(0.02 * n, lumps.feed, [b"x" * 10]) for n in range(1, 4)]
    for feeder in feeders:
        feeder.start()
    assert lumps.read(30, timeout=10) == b"x" * 30
    for feeder in feeders:
        feeder.join()


def test_a_reader_waits_for_no_more_than_a_lump_lest_the_server_wait_too() -> None:
    assert len(filled(b"x" * LUMP).read(10 * LUMP, timeout=10)) == LUMP


@pytest.mark.parametrize(
    ("pieces", "expected"), [([b"abc", b"de"], b"abcde"), ([b"a"], b"a")], ids=["two pieces", "one"]
)
def test_what_came_before_a_silence_is_given_at_its_end(pieces: list[bytes], expected: bytes) -> None:
    assert filled(*pieces).read(100, timeout=0.01) == expected


def test_silence_alone_is_told() -> None:
    with pytest.raises(PipeTimeout):
        Lumps().read(1, timeout=0.01)


def test_a_closed_channel_wakes_its_reader() -> None:
    lumps = Lumps()
    closer = threading.Timer(0.02, lumps.close)
    closer.start()
    assert lumps.read(5, timeout=10) == b""
    closer.join()


def test_only_what_is_there_to_read_counts_as_ready() -> None:
    lumps = filled(b"ab")
    assert lumps.read_ready()
    lumps.read(2)
    assert not lumps.read_ready()
