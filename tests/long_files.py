"""The files of tests that take longest, in the order in which they are handed out."""

# The first compiles what later ones need. Handed out last, one of these would keep one process busy
# alone for up to a minute. Seconds: `pytest --durations=0`, summed by file.
LONGEST = (
    "warming/test_warmup.py",
    "test_benchmarks.py",
    "test_notebooks.py",
    "inference/kernel/test_estimated_kernels.py",
    "evaluation/studies/test_event_time_study.py",
    "test_threads.py",
    "cli/test_cli_tasks.py",
    "test_architecture.py",
    "inference/rectified/test_rectified_edge.py",
    "evaluation/report/test_report.py",
    "inference/kernel/test_em.py",
    "cli/test_cli_answers.py",
    "test_what_works.py",
    "inference/on_disk/test_decay.py",
    "inference/decay/test_joint.py",
    "evaluation/test_verifier_registry.py",
    "inference/post_estimation/test_linked.py",
    "inference/kernel/test_histogram_top.py",
    "cli/test_cli.py",
    "test_plain_small_rows.py",
    "test_readme.py",
    "test_acceptance.py",
    "inference/kernel/test_hurdle.py",
    "test_first_use.py",
    "test_estimators.py",
    "test_no_compiler.py",
)
