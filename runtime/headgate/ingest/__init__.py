"""HTTP in: protocol, authentication, answers. Of delivery it knows: take these, say when they are safe."""
