"""The backend of matplotlib: draws with Agg. `show` saves figures as ./outputs/figure-N.png in the folder of the job."""

import os

from matplotlib._pylab_helpers import Gcf
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

# The folder at the start; a program may change to another one.
OUTPUTS = "/work/job/outputs"

_saved = 0


def _save(figure):
    global _saved
    os.makedirs(OUTPUTS, exist_ok=True)
    path = None
    while path is None or os.path.exists(path):
        _saved += 1
        path = os.path.join(OUTPUTS, f"figure-{_saved}.png")
    figure.savefig(path)


class FigureManager(FigureManagerBase):
    def show(self):
        _save(self.canvas.figure)


class FigureCanvas(FigureCanvasAgg):
    manager_class = FigureManager


def show(*args, **kwargs):
    """Saves the open figures and closes them, as windows are closed that someone has looked at."""
    for manager in Gcf.get_all_fig_managers():
        _save(manager.canvas.figure)
    Gcf.destroy_all()
