"""Results for people to look at: self-contained HTML, pictures, the terminal. It sees results only."""

from adiabat.report.html import write_html
from adiabat.report.image import write_image
from adiabat.report.serve import PageServer
from adiabat.report.terminal import print_table

__all__ = ["PageServer", "print_table", "write_html", "write_image"]
