"""A scope as a tool of other people's frameworks: each module needs the package that it is called after."""
