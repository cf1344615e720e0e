"""A pytest plugin for runs on mutants: the same examples each time, and no search for a small one.

With random examples a mutant would be killed today and survive tomorrow.
"""

from __future__ import annotations

from hypothesis import Phase, settings

settings.register_profile(
    "mutation",
    database=None,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
)
settings.load_profile("mutation")
