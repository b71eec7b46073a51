"""The networks and the contract. Importing this package loads neither torch nor numpy."""
