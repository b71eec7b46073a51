"""What the networks learn from: photos, triplets, shards, batches."""
