"""python -m infofuse"""

from infofuse.cli import main

main()
