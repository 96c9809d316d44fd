"""Which Whichlist this is."""

from importlib import metadata

try:
    VERSION = metadata.version("whichlist")
except metadata.PackageNotFoundError:  # run from a checkout that was never installed
    VERSION = "0.0.0"
