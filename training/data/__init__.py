"""What the networks learn from: photos, records, triplets, batches."""
