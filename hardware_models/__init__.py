"""What a candidate costs: operators, counts, latency tables and how they are measured."""
