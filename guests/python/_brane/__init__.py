"""The Python that runs inside a brane: everything here is executed once, when the guest is built.

The interpreter is saved with all its modules loaded. So whatever depends on chance, time or surroundings is
wrong by the time that code runs, and `instance` puts it right.
"""
