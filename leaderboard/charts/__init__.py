"""The charts of a board: for each kind a template made with Altair, and the sheet of values that is written on it."""
