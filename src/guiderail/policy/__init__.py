"""The policy language, packs, evaluation and explanation.

`load_pack` and `decide` are the warm path: they read compiled packs and need neither YAML nor the
grammar. `load_pack_directory` reads a pack that somebody edits.
"""

from guiderail.policy.decide import decide
from guiderail.policy.decision import Decision
from guiderail.policy.pack import Pack, load_pack, load_pack_directory

__all__ = ["Decision", "Pack", "decide", "load_pack", "load_pack_directory"]
