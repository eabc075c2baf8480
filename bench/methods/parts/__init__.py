"""What several methods share. No methods themselves: the catalog does not look in here."""
