"""Long computations outside of the web process: submit a task, follow its events, cancel it.

``protocol`` is all that callers and tasks need to know. ``local`` is the default engine; it starts
``server`` as a process of its own, which runs each task in a ``worker`` process.
"""
