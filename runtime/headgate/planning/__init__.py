"""What a load will need and cost: shards, tasks and a month's bill. Pure, but for `cloudwatch`."""
