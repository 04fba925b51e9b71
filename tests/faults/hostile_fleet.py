"""A fleet whose districts have rows already, and each hostile one a server of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.acceptance.world import World, contacts_csv, students_csv
from tests.faults.hostile_server import PASSWORD, HostileServer, fingerprint

STUDENTS = 40

MODES: dict[str, tuple[str, ...]] = {
    "silent at banner": ("sftp.timeout",),
    "silent after banner": ("sftp.timeout",),
    "silent at key exchange": ("sftp.timeout",),
    "silent at auth": ("sftp.timeout",),
    "silent at channel": ("sftp.timeout",),
    "silent at subsystem": ("sftp.timeout",),
    "silent at version": ("sftp.timeout",),
    "silent at opendir": ("sftp.timeout",),
    "silent at readdir": ("sftp.timeout",),
    "silent at open": ("sftp.timeout",),
    "silent at fstat": ("sftp.timeout",),
    "silent at read": ("sftp.timeout",),
    "silent at stat": ("sftp.timeout",),
    "dribble": ("sftp.timeout",),
    "dribble from the first byte": ("sftp.timeout",),
    "endless banner, byte by byte": ("sftp.timeout",),
    "endless banner, line by line": ("sftp.unreachable",),
    "endless banner, at full speed": ("sftp.unreachable",),
    "1 TiB claimed": ("sftp.too-large",),
    "a million names": ("sftp.path",),
    "weird names": ("sftp.no-files",),
    "half a file": ("sftp.interrupted",),
    "replaced by one of the same size": ("sync.file-changing",),
    "replaced by a longer one": ("sync.file-changing",),
    "huge packet": ("sftp.incompatible",),
    "huge packet before the login": ("sftp.unreachable",),
    "huge answers": ("sftp.incompatible",),
    "endless answers": ("sftp.timeout", "sftp.interrupted"),
    "endless standard error": ("sftp.timeout", "sftp.interrupted"),
    "dropped at once": ("sftp.unreachable",),
    "dropped in a listing": ("sftp.interrupted",),
    "login refused": ("sftp.auth",),
    "login refused on the third try": ("sftp.auth",),
    "another host key": ("sftp.host-key",),
}
"""What a server does, and the codes that this may come to: where there are two, what ends first decides."""


@dataclass(frozen=True)
class Hostile:
    """A fleet after its first sync."""

    world: World
    servers: dict[str, HostileServer]
    """District to its server; still well-behaved."""
    good: list[str]

    def turn(self) -> None:
        """From now on the servers misbehave. There are new files everywhere, on the hostile ones with fewer
        students: whoever believed one of those would remove some."""
        for name, server in self.servers.items():
            self.upload(name, STUDENTS - 10)
            server.mode = mode_of(name)
        self.renew(STUDENTS + 1)

    def renew(self, students: int) -> None:
        """The good districts have new files, with so many students."""
        for name in self.good:
            self.upload(name, students)

    def upload(self, name: str, students: int) -> None:
        files = {"students.csv": students_csv(students), "contacts.csv": contacts_csv(students)}
        self.world.put(name, files)

    def rows(self) -> dict[str, list[dict[str, str]]]:
        """All active rows of the hostile districts."""
        found = self.world.everything()
        return {entity: [r for r in rows if r["district"] in self.servers] for entity, rows in found.items()}


def district_of(mode: str, number: int = 0) -> str:
    """A district's id that says what its server will do. By name, good and hostile ones take turns."""
    return f"d{number:03d}-hostile-{list(MODES).index(mode):02d}"


def mode_of(district: str) -> str:
    return list(MODES)[int(district.rpartition("-")[2])]


@contextmanager
def hostile_fleet(world: World, modes: Sequence[str], good: int) -> Iterator[Hostile]:
    """So many good districts, and one for each of the modes, which may repeat: all have rows."""
    with ExitStack() as stack:
        servers: dict[str, HostileServer] = {}
        for number, mode in enumerate(modes):
            name = district_of(mode, number)
            server = stack.enter_context(HostileServer(world.export_of(name)))
            servers[name] = server
            sftp = {"port": server.port, "host_key": fingerprint()}
            world.district(name, schools=["0042"], password=PASSWORD, sftp=sftp)
        fleet = Hostile(world, servers, [f"d{n:03d}-good" for n in range(good)])
        for name in fleet.good:
            world.district(name, schools=["0042"])
        for name in (*servers, *fleet.good):
            fleet.upload(name, STUDENTS)
        done = world.run("reconcile", "--workers", "4")
        assert done.code == 0, done.out + done.err
        yield fleet
