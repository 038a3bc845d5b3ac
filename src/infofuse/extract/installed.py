"""Versions of the packages that extraction needs, or how to get them."""

from importlib.metadata import PackageNotFoundError, version

import infofuse
from infofuse.errors import InfofuseError


def installed(package: str) -> str:
    """The version of an installed package. Raises InfofuseError if there is none."""
    if package == "infofuse":
        return infofuse.__version__  # which need not be installed to be used
    try:
        return version(package)
    except PackageNotFoundError:
        raise InfofuseError(
            f"{package} is not installed: pip install {package}, or 'infofuse[extract]' for all "
            f"that the defaults need"
        ) from None
