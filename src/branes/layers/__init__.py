"""One module a layer; no layer imports another.

wasi      1 language   which interfaces a component may link, absent, denied or granted
process   2 process    the filter, and what is to be seen of a caged process from outside
"""
