"""`python -m search`: the command line."""

from search.cli import main

if __name__ == "__main__":
    main()
