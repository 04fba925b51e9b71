"""Sealed secrets that do not open, or not for this login, and one that is sealed anew (items 59 to 61)."""

from __future__ import annotations

import base64
from dataclasses import replace

import pyrage

from reconciler.config.sealed_text import END, ciphertext_of
from reconciler.demo.server import Account
from reconciler.secrets.context import SecretContext
from reconciler.secrets.sealing import seal
from tests.acceptance.bad_inputs.case import FILE, Build, Case
from tests.acceptance.bad_inputs.secret_items import (
    RECONCILE,
    TEST,
    VARIABLE,
    nobody_came,
    others_went_on,
    rows_of_oak,
    two_districts,
)
from tests.acceptance.world import World, students_csv

IDENTITY = pyrage.x25519.Identity.generate()
OTHER = pyrage.x25519.Identity.generate()


def _login(world: World) -> SecretContext:
    return SecretContext("oak", "127.0.0.1", world.server.port, "oak")


def _sealed_for(login: SecretContext, password: str = "canary-oak-Pa55") -> str:
    return seal(password, login, [IDENTITY.to_public()])


def _written(world: World, text: str, identity: str = str(IDENTITY)) -> None:
    """elm as ever, and oak with this text in its file and this identity where reconciler runs."""
    two_districts(world)
    world.environment.pop(VARIABLE)
    world.environment["RECONCILER_AGE_IDENTITY"] = identity
    world.district("oak", schools=["0042"], sftp={"password": {"age": text}})
    world.environment.pop(VARIABLE)


def _with_identity(identity: str) -> Build:
    return lambda world: _written(world, _sealed_for(_login(world)), identity)


def _altered(world: World) -> None:
    data = bytearray(ciphertext_of(_sealed_for(_login(world))))
    data[-1] ^= 1
    _written(world, base64.b64encode(data).decode())


def _cut(world: World) -> None:
    data = ciphertext_of(_sealed_for(_login(world)))
    _written(world, base64.b64encode(data[:-20]).decode())


def _armor_cut(world: World) -> None:
    _written(world, _sealed_for(_login(world)).partition(END)[0])


def _for_another(**login: str) -> Build:
    return lambda world: _written(world, _sealed_for(replace(_login(world), **login)))  # type: ignore[arg-type]


def _copied(world: World) -> None:
    """elm has it sealed for itself, and oak's file the very same text."""
    sealed = _sealed_for(SecretContext("elm", "127.0.0.1", world.server.port, "elm"), "canary-elm-Pa55")
    _written(world, sealed)
    world.district("elm", schools=["0042"], sftp={"password": {"age": sealed}})


def _rotated(*, here: bool) -> Build:
    """In sync, then the server has another password; `here`: and the file has it sealed anew."""

    def build(world: World) -> None:
        _written(world, _sealed_for(_login(world)))
        assert world.run("reconcile").code == 0
        world.server.accounts["oak"] = Account(world.export_of("oak"), password="canary-new")
        world.put("oak", {"students.csv": students_csv(5)})
        if here:
            anew = _sealed_for(_login(world), "canary-new")
            world.district("oak", schools=["0042"], sftp={"password": {"age": anew}})

    return build


CASES = [
    Case("secret-59-no-identity", _with_identity(""), "secret.missing",
         "the secret of district oak is sealed, and there is no identity to open it", command=RECONCILE,
         after=others_went_on),
    Case("secret-59-wrong-identity", _with_identity(str(OTHER)), "secret.missing",
         "none of the identities here opens the sealed secret of district oak", command=RECONCILE,
         after=others_went_on),
    Case("secret-59-identity-that-is-none", _with_identity("AGE-SECRET-KEY-1CANARY"), "secret.missing",
         "the identity that opens sealed secrets cannot be used", command=RECONCILE, after=others_went_on),
    Case("secret-59-text-altered", _altered, "secret.missing",
         "the sealed secret of district oak is damaged: cut off or altered", command=RECONCILE,
         after=others_went_on),
    Case("secret-59-text-cut", _cut, "secret.missing",
         "the sealed secret of district oak is damaged: cut off or altered", command=RECONCILE,
         after=others_went_on),
    Case("secret-59-armor-cut", _armor_cut, "config.schema", "the last line of the armor is missing",
         f"{FILE}:10:"),
    Case("secret-60-sealed-for-another-host", _for_another(host="sftp.elsewhere.example"), "secret.bound",
         "the sealed secret of district oak was sealed for another login: sftp.host differs", command=TEST,
         after=nobody_came),
    Case("secret-60-sealed-for-another-user", _for_another(username="admin"), "secret.bound",
         "was sealed for another login: sftp.username differs", command=TEST, after=nobody_came),
    Case("secret-60-sealed-for-another-district", _copied, "secret.bound",
         "was sealed for another login: district and sftp.username differ", command=RECONCILE,
         after=others_went_on),
    Case("secret-61-sealed-anew", _rotated(here=True), "", "oak", exit=0, command=RECONCILE, json=False,
         after=rows_of_oak(5)),
    Case("secret-61-sealed-secret-rotated-at-the-server-alone", _rotated(here=False), "sftp.auth",
         "refused the login", command=("sync", "oak"), after=rows_of_oak(3)),
]  # fmt: skip
