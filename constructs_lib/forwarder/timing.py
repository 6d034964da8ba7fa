"""How long a task takes to go, part by part, so that nobody is cut off: each has to fit into the next."""

DEREGISTRATION_DELAY_SECONDS = 15
"""The load balancer sends a task nothing new from its start, and lets what is open end within it."""

DRAIN_SECONDS = 20
"""`--drain`: how long a task goes on serving after SIGTERM. Longer than the deregistration delay, because
SIGTERM may come before the load balancer has taken the task away everywhere."""

STOP_TIMEOUT_SECONDS = 60
"""From SIGTERM to SIGKILL, 120 at most on Fargate: drain, then 8 s until the last request is acknowledged,
2 s to spill what Kinesis did not take, 2 s to give messages back, and twice as much for a bad night."""
