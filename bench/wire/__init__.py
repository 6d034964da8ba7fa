"""What a PutRecords request costs on our side, beside boto3 and aiohttp."""
