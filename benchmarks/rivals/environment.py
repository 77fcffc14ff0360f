"""An environment of its own for each rival."""

import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from rivals.failure import Failed, last_words


@dataclass(frozen=True)
class Environment:
    """Packages that live together.

    Attributes:
        name: Of its folder.
        packages: What pip installs; none: it is the environment that runs the benchmark.
    """

    name: str
    packages: tuple[str, ...] = ()

    def python(self, cache: Path) -> Path:
        """Its interpreter; made once, and anew where the packages are others than last time.

        Raises:
            Failed: pip could not install them.
        """
        if not self.packages:
            return Path(sys.executable)
        folder = cache / "environments" / self.name
        python, wanted, done = folder / "bin" / "python", "\n".join(self.packages), folder / "installed.txt"
        if done.is_file() and done.read_text() == wanted:
            return python
        print(f"installing {', '.join(self.packages)}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        run = subprocess.run(
            [python, "-m", "pip", "install", "--quiet", *self.packages], capture_output=True, text=True, check=False
        )
        if run.returncode:
            raise Failed("installation", last_words(run.stderr))
        done.write_text(wanted)
        return python
