"""Search algorithms: each module holds one, a class whose `name` is the module's."""
