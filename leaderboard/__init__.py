"""How finished results are shown: a pure function of records. Must not know how a result is made."""
