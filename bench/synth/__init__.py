"""How long `cdk synth` takes with Headgate's constructs, beside the same resources written bare."""
