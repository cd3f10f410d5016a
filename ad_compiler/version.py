"""The version, said once: the package, `adc --version`, the cache's keys and the build read it here."""

__version__ = "0.1.0"
