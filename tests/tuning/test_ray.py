"""The same search on a Ray cluster of two worker nodes, one of which is lost."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infofuse.tuning.engines import on_ray
from infofuse.tuning.trial import run_trial

pytest.importorskip("ray", reason="needs Ray: pip install 'infofuse[ray]'")

