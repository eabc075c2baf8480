"""The fine-tuning methods: one short file each, exporting METHOD. Which parameters train, and how."""
