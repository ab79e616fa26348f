"""One trial, from listing the data to the record: train, freeze the selection, predict, evaluate."""
