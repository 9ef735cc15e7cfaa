"""Gives matplotlib the list of fonts that the build of the root made, which it would make again in each job."""

import os
import sys

LISTS = "/usr/share/promptcraft/matplotlib"


class _Watch:
    """Waits for the import of matplotlib, because few programs need its folder."""

    def find_spec(self, name, path=None, target=None):
        if name == "matplotlib":
            sys.meta_path.remove(self)
            try:
                cache = os.path.expanduser("~/.cache/matplotlib")
                os.makedirs(cache, exist_ok=True)
                for file in os.listdir(LISTS):
                    os.symlink(os.path.join(LISTS, file), os.path.join(cache, file))
            except OSError:
                # Without the list matplotlib makes its own.
                pass
        return None


sys.meta_path.insert(0, _Watch())
