"""Tables in files, of any kind: their rows, columns and cells, and what is wrong with them."""
