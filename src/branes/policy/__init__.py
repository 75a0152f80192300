"""Policy as data: each line says why it is there. Read by `branes.layers`, changed by review only."""
