"""Launchers run a study's evaluations: `serial` in this process, `ray` on a cluster."""
