"""What is measured: one declarative module a task, each exporting `TASK`."""
