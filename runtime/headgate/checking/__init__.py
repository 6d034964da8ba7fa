"""Whether a destination can be delivered to, and if not, what is wrong: step by step, for `headgate check`.

`probes` asks AWS, `check` decides what is asked in which order, and the rest, which is pure, says what an
answer means: a state, one line for a person, and the fix.
"""
