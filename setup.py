"""What setup.cfg cannot say: a wheel holds the notebooks of tutorials/ too, as tinyspad/course."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithCourse(build_py):
    """Builds the package, and lays the course beside it; in an editable install it is read where it is."""

    def run(self):
        super().run()
        if self.editable_mode:
            return
        here = Path(__file__).parent / "tutorials"
        for file in sorted(here.rglob("*")):
            if file.suffix in (".ipynb", ".md", ".py") and not file.match(".ipynb_checkpoints/*"):
                to = Path(self.build_lib, "tinyspad", "course", file.relative_to(here))
                self.mkpath(str(to.parent))
                self.copy_file(str(file), str(to))


setup(cmdclass={"build_py": WithCourse})
