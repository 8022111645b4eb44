"""The workspace: where a local Guiderail keeps its state, and who is acting in it.

`GUIDERAIL_HOME` names it, else the nearest `.guiderail/` upwards from the current directory.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from guiderail.core.errors import InputError, RefusedError
from guiderail.core.subject import Actor
from guiderail.core.time import Clock, system_clock
from guiderail.facts.cost_ceilings import load_ceilings
from guiderail.facts.feature_registry import load_features
from guiderail.facts.standing import ApprovedCeiling, ApprovedFeature
from guiderail.ledger.tombstones import buried
from guiderail.manifest.strict_yaml import load
from guiderail.people.register import Person, Register, load_people
from guiderail.store.vault_folder import folder_in

if TYPE_CHECKING:
    from guiderail.attest.keys import Keyring
    from guiderail.attest.secrets import Secrets
    from guiderail.measure.column_dictionary import ColumnDictionary
    from guiderail.store.blobs import BlobStore
    from guiderail.store.database import Store

FOLDER = ".guiderail"
SETTINGS = "workspace.yaml"


@dataclass(frozen=True)
class Workspace:
    """Paths and settings of one workspace. Opening it reads one small file and no database.

    require_state: its target starts nothing new without a signed state of permits that is valid.
    blobs_url: where evidence is kept, as fsspec names it; None: in the folder `blobs`.
    is_platform: this machine is the platform's and no author's, so that what it measures itself at
        a submission counts as verified.
    """

    home: Path
    demo: bool
    act_as: str | None = None
    clock: Clock = system_clock
    require_state: bool = False
    blobs_url: str | None = None
    is_platform: bool = False

    @property
    def cache(self) -> Path:
        return self.home / "cache"

    @property
    def snapshots(self) -> Path:
        return self.home / "snapshots"

    @property
    def releases(self) -> Path:
        """Materialised copies of releases, one read-only directory per release digest."""
        return self.home / "releases"

    @property
    def vault(self) -> Path:
        """The folder with the master key and the list of the erased."""
        return folder_in(self.home)

    @cached_property
    def register(self) -> Register:
        """Everybody who may act: an entry that a restored people.yaml brought back counts not."""
        gone = buried(self.vault)
        erased = {id_ for id_ in self.everybody.people if any(one.is_of(id_) for one in gone)}
        kept = {
            id_: person.model_copy(update={"manager": None}) if person.manager in erased else person
            for id_, person in self.everybody.people.items()
            if id_ not in erased
        }
        return Register(kept)

    @cached_property
    def everybody(self) -> Register:
        """Everybody in people.yaml, as it is written."""
        return load_people(self.home / "people.yaml")

    @cached_property
    def features(self) -> Mapping[str, ApprovedFeature]:
        return load_features(self.home / "features.yaml")

    @cached_property
    def ceilings(self) -> Mapping[str, ApprovedCeiling]:
        """Ceilings of monthly cost by workload, those that a finance owner approved."""
        owners = {person.id for person in self.register.in_role("finance-owner")}
        found = self.written_ceilings
        return {name: one for name, one in found.items() if one.approved_by in owners}

    @cached_property
    def written_ceilings(self) -> Mapping[str, ApprovedCeiling]:
        """Every ceiling of `ceilings.yaml`, whoever approved it."""
        return load_ceilings(self.home / "ceilings.yaml")

    @cached_property
    def columns(self) -> ColumnDictionary | None:
        """What the organisation says about its column names; None without `columns.yaml`."""
        from guiderail.measure.column_dictionary import load_dictionary

        path = self.home / "columns.yaml"
        return load_dictionary(path) if path.exists() else None

    @cached_property
    def store(self) -> Store:
        """The database; whoever was erased stays erased in it, a restored backup too."""
        from guiderail.store.database import Store

        store = Store.open(self.home)
        self.__dict__["store"] = store  # erasing again needs it, while this is not finished
        from guiderail.service.erase import bring_back_to_erased

        bring_back_to_erased(self)
        return store

    @cached_property
    def blobs(self) -> BlobStore:
        from guiderail.store.blobs import open_blobs

        return open_blobs(self.home / "blobs", self.blobs_url)

    @cached_property
    def secrets(self) -> Secrets:
        from guiderail.attest.secrets import Secrets

        return Secrets()

    @cached_property
    def keyring(self) -> Keyring:
        from guiderail.service.key_changes import open_keyring

        return open_keyring(self)

    def forget_keyring(self) -> None:
        """After a change of the keys: the next use opens the new ones."""
        self.__dict__.pop("keyring", None)

    @cached_property
    def actor(self) -> Actor:
        """Who acts. Raises RefusedError or InputError when that cannot be said for certain."""
        person, impersonated_by = self._acting_person()
        return Actor(person.id, person.roles, impersonated_by)

    @property
    def person(self) -> Person:
        return self.register.person(self.actor.person)

    def _acting_person(self) -> tuple[Person, str | None]:
        user = operating_system_user()
        if self.act_as is not None:
            if not self.demo:
                raise RefusedError(
                    "--as works only in a demo workspace",
                    code="identity/impersonation",
                    advice="Elsewhere you act as yourself: your operating-system user, mapped "
                    "through people.yaml.",
                )
            return self.register.person(self.act_as), user
        person = self.register.by_os_user(user)
        if person is None:
            hint = " or use --as PERSON (this is a demo workspace)" if self.demo else ""
            raise InputError(
                f"the operating-system user {user!r} is not mapped to a person",
                code="identity/unmapped",
                advice=f"Add it to os_users of a person in {self.home / 'people.yaml'}{hint}.",
            )
        return person, None


def operating_system_user() -> str:
    """Who runs this process, by its user id: an environment variable can claim to be anybody.

    Raises InputError where the system knows no name for the id or has no such ids.
    """
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError) as error:
        raise InputError(
            "the operating system does not say who you are",
            code="identity/unknown",
            advice="Run Guiderail as a user that the system has a name for.",
        ) from error


def find_home(start: Path, environment: Mapping[str, str] = os.environ) -> Path | None:
    """`GUIDERAIL_HOME`, else the nearest `.guiderail/` at or above `start`, else None."""
    named = environment.get("GUIDERAIL_HOME")
    if named:
        return Path(named).absolute()
    for folder in (start.absolute(), *start.absolute().parents):
        if (folder / FOLDER / SETTINGS).is_file():
            return folder / FOLDER
    return None


def open_workspace(
    start: Path, *, act_as: str | None = None, clock: Clock = system_clock
) -> Workspace:
    """The workspace for a directory. Raises InputError `workspace/none` when there is none."""
    home = find_home(start)
    if home is None or not (home / SETTINGS).is_file():
        where = str(home) if home else f"{start} or above"
        raise InputError(
            f"there is no workspace at {where}",
            code="workspace/none",
            advice="Start one with `guiderail init --workspace`, or set GUIDERAIL_HOME.",
        )
    settings = load((home / SETTINGS).read_text(encoding="utf-8"), str(home / SETTINGS)).data
    if not isinstance(settings, dict) or not _are_settings(settings):
        raise InputError(
            f"{home / SETTINGS} is not a workspace file",
            code="workspace/settings",
            advice="Its keys are guiderail: 1, demo: true or false, and where they are wanted "
            "blobs: s3://BUCKET/PREFIX, platform: true or false, and require_permit_state: true "
            "where its target has to refuse an outdated state of permits.",
        )
    return Workspace(
        home,
        settings.get("demo") is True,
        act_as,
        clock,
        require_state=settings.get("require_permit_state") is True,
        blobs_url=settings.get("blobs"),
        is_platform=settings.get("platform") is True,
    )


def _are_settings(settings: Mapping[str, object]) -> bool:
    """Only known keys, each of its type: a misspelt setting must not be one that does not hold."""
    types: dict[str, type] = {
        "guiderail": int,
        "demo": bool,
        "blobs": str,
        "platform": bool,
        "require_permit_state": bool,
    }
    return all(name in types and isinstance(one, types[name]) for name, one in settings.items())


def create_workspace(
    folder: Path, *, demo: bool, people: str, features: str, clock: Clock = system_clock
) -> Workspace:
    """Make `.guiderail/` in a folder: settings, registers, keys, database.

    Raises InputError when the folder already has a workspace.
    """
    home = folder / FOLDER
    if (home / SETTINGS).exists():
        raise InputError(
            f"{home} is already a workspace",
            code="workspace/exists",
            advice="Use it as it is; nothing was changed.",
        )
    home.mkdir(parents=True, mode=0o700, exist_ok=True)
    (home / "people.yaml").write_text(people, encoding="utf-8")
    (home / "features.yaml").write_text(features, encoding="utf-8")
    workspace = Workspace(home, demo, None, clock)
    _ = workspace.register, workspace.features, workspace.keyring, workspace.store
    # The settings file comes last: without it the folder is not a workspace.
    (home / SETTINGS).write_text(
        f"guiderail: 1\ndemo: {'true' if demo else 'false'}\n", encoding="utf-8"
    )
    return workspace
