"""Long computations outside of the web process: submit a task, follow its events, cancel it.

A job on its way: ``client`` sends the request over its ``link`` to the engine process, which
``launch`` finds or starts (``process``). There ``server`` decides what runs when (``schedule`` has
the rules, ``journal`` remembers jobs over a restart) and hands the job to ``workers``: warm
processes on this machine, or those of Ray (``ray_workers``). In one of them ``worker`` calls the
task, whose results go to the ``worker_store``. What it reports and how it ended goes back over the
same stations to the ``Job`` of everybody who follows it. ``protocol`` has the words that
all of them use, above all ``JobFacts``, the description of a job.
"""
