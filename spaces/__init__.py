"""What can be searched: each module holds one symbolic space, a function of the module's name."""
