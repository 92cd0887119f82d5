"""Long computations outside of the web process: submit a task, follow its events, cancel it.

``protocol`` is all that callers and tasks need to know. The engine is a process of its own
(``process``), found or started by ``local``. In it ``server`` decides what runs when (``schedule``
has the rules, ``journal`` remembers them over a restart) and hands each job to ``workers``: warm
processes on this machine, or Ray (``ray_workers``).
"""
