from headgate.cli.output import printable


def test_a_partition_key_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[2Jb\u202e\x9bc é🎉") == "a\\x1b[2Jb\\u202e\\x9bc é🎉"
