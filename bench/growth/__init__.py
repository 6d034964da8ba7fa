"""How cost grows: with destinations, shards, workers, bytes of an event, and open connections."""
