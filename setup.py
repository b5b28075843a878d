"""Refuses to build wheels and archives without the page's packages or the models; all else is in pyproject.toml."""

from glob import glob
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist


def check(package_data: dict[str, list[str]]) -> None:
    """Every pattern of `package-data` has to find something: setuptools leaves out what is missing in silence."""
    for package, patterns in package_data.items():
        for pattern in patterns:
            wanted = Path(*package.split(".")) / pattern
            if package and not glob(str(wanted), recursive=True):  # noqa: PTH207  # as setuptools does
                raise SystemExit(
                    f"error: {wanted}: there is no such file to package; `make serve` in a checkout brings the page's "
                    "packages (or `npm ci --omit=dev` in app/web)"
                )


class BuildPy(build_py):
    """A wheel's files; an editable installation takes what is there."""

    def run(self) -> None:
        if not self.editable_mode:
            check(self.package_data)
        super().run()


class SourceArchive(sdist):
    """A source archive."""

    def run(self) -> None:
        check(self.distribution.package_data)
        super().run()


setup(cmdclass={"build_py": BuildPy, "sdist": SourceArchive})
