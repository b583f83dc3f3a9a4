"""`python -m assent.cli` is the `assent` command."""

from assent.cli.app import main

if __name__ == "__main__":
    main()
