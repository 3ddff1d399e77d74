"""What token compression of vision transformers is made of: layouts, counts, operators, published schedules."""
