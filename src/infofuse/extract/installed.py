"""Versions of the packages that extraction needs, or how to get them."""

from importlib.metadata import PackageNotFoundError, version

import infofuse
from infofuse.errors import missing

EXTRAS = {"opensmile": "egemaps"}
"""What brings a package that the defaults do not need."""


def installed(package: str) -> str:
    """The version of an installed package. Raises InfofuseError if there is none."""
    if package == "infofuse":
        return infofuse.__version__  # which need not be installed to be used
    try:
        return version(package)
    except PackageNotFoundError:
        raise missing(f"this needs {package}", EXTRAS.get(package, "extract")) from None
